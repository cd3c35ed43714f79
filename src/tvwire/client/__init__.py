"""The clients, in the words of their users."""
