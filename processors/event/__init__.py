"""This package is an event: its bytes, identity, headers, origin, masking, and why some bytes are no event."""
