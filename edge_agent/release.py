"""Which release of the agent this is."""

from importlib import metadata


def version() -> str:
    """As installed; "source" when it runs from a checkout that was never installed."""
    try:
        return metadata.version("spanbridge")
    except metadata.PackageNotFoundError:
        return "source"
