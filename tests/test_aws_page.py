import re
from pathlib import Path

from tests.aws_page import as_markdown
from tests.template import TEMPLATE, resources

DOCS = Path(__file__).parent.parent / "docs"


def test_the_page_about_aws_is_what_the_template_says() -> None:
    assert (DOCS / "aws.md").read_text() == as_markdown(), "run: python docs/generate.py"


def test_every_parameter_that_the_deployment_page_names_is_one() -> None:
    text = (DOCS / "deploy.md").read_text()
    declared = TEMPLATE.read_text()
    named = set(re.findall(r"\b([A-Z][a-z][A-Za-z]+)=", text))
    assert named and all(f"\n  {name}:\n" in declared for name in named)


def test_the_deployment_page_counts_the_alarm_metrics_that_are_paid_for() -> None:
    alarms = resources("AWS::CloudWatch::Alarm").values()
    count = sum(sum("MetricStat" in each for each in alarm.get("Metrics", ({"MetricStat"},))) for alarm in alarms)
    assert f"{count} alarm metrics ${count / 10:.2f}" in (DOCS / "deploy.md").read_text()
