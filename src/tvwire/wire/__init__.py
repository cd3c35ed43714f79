"""Bytes and text of the protocol, both ways; pure functions that know nothing of sessions or sockets."""
