"""Lambda entry points: parse the event, one use case, answer."""
