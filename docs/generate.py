"""Writes the documents that are made from the code: `python docs/generate.py`. Tests hold the two together."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from shared.errors import as_markdown
from shared.usecases.describe_api import as_json
from tests import aws_page
from tests.local_cloud import behaviours

HERE = Path(__file__).parent


def main() -> None:
    (HERE / "errors.md").write_text(as_markdown())
    (HERE / "openapi.json").write_text(as_json())
    (HERE / "aws.md").write_text(aws_page.as_markdown())
    (HERE / "local-cloud.md").write_text(behaviours.as_markdown())


if __name__ == "__main__":
    main()
