"""What a client must remember and decide about a conversation with the server; pure, so nothing here waits."""
