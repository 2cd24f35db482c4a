"""Patterns with `*` for any run of characters [C]. Rule: one pass over the text, however hostile the pattern."""


def matches(text: str, pattern: str) -> bool:
    """Whether the whole text fits. The leftmost place for each piece never misses a fit, so nothing is retried."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == first
    *middle, last = rest
    if not text.startswith(first) or not text.endswith(last):
        return False
    place, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, place, end) if place <= end else -1
        if found < 0:
            return False
        place = found + len(piece)
    return place <= end
