import re
from pathlib import Path

from tests.aws_page import as_markdown
from tests.template import TEMPLATE

DOCS = Path(__file__).parent.parent / "docs"


def test_the_page_about_aws_is_what_the_template_says() -> None:
    assert (DOCS / "aws.md").read_text() == as_markdown(), "run: python docs/generate.py"


def test_every_parameter_that_the_deployment_page_names_is_one() -> None:
    text = (DOCS / "deploy.md").read_text()
    declared = TEMPLATE.read_text()
    named = set(re.findall(r"\b([A-Z][a-z][A-Za-z]+)=", text))
    assert named and all(f"\n  {name}:\n" in declared for name in named)
