"""The HTTP side of the service as pure flows: requests out, responses in, a typed result at the end."""
