"""AT modems: bytes to lines, one command in flight, TPDUs, and the life of a span."""
