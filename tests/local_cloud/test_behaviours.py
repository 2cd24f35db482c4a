"""The table of what is as in AWS is the one that the tests make."""

from local_cloud.layout import CHECKOUT
from tests.local_cloud.behaviours import as_markdown


def test_the_table_is_up_to_date():
    assert (CHECKOUT / "docs" / "local-cloud.md").read_text() == as_markdown(), "run: python docs/generate.py"
