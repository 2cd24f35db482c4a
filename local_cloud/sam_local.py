"""Fills a running moto server with what env.json names, so that `sam local` and the sample events find it there.

    .venv/bin/moto_server -H 0.0.0.0 -p 5000 &
    .venv/bin/python -m local_cloud.sam_local http://127.0.0.1:5000
    sam local invoke SmsApi -e events/sms_api/send.json

Tables, queues and the topic come from template.yaml and are called as they are there; the account and its agent are
those of events/.
"""

from __future__ import annotations

import json
import sys

from local_cloud import aws
from local_cloud.cloud import LOCAL_PARAMETERS
from local_cloud.deploy import Addresses, plan
from local_cloud.intrinsics import JsonObject
from local_cloud.layout import CHECKOUT
from local_cloud.seed import ACCOUNT, AGENT, PASSWORD
from local_cloud.topology import as_object
from local_cloud.transform import transformed
from shared import agent_token, credentials
from shared.aws.account_table import AccountTable
from shared.aws.clock import SystemClock
from shared.message import Account, Agent, Enrolment, Limits

# Of the agent in events/: good for nothing but these.
SAMPLE_SECRET = "only-a-sample-secret-never-enrolled"  # noqa: S105
# The one-time code of the site that enrols there.
SAMPLE_CODE = agent_token.AgentToken(ACCOUNT, "site-2", "only-a-sample-code-never-given")
_NEVER = 4102444800.0  # the year 2100
_NAME = {"AWS::DynamoDB::Table": "TableName", "AWS::SQS::Queue": "QueueName", "AWS::SNS::Topic": "TopicName"}


def prepare(endpoint: str) -> AccountTable:
    """Raises botocore's AlreadyExistsException when it was done before; returns the accounts, to add to them."""
    body = json.dumps({"Resources": _resources()})
    aws.cloudformation(endpoint).create_stack(StackName=aws.STACK, TemplateBody=body)
    accounts = AccountTable(aws.dynamodb(endpoint), "Config", SystemClock())
    accounts.put_account(Account(name=ACCOUNT, credential=credentials.encode(PASSWORD), limits=Limits()))
    add_sample_agents(accounts)
    return accounts


def add_sample_agents(accounts: AccountTable) -> None:
    """The one that is enrolled, and the one that has a code."""
    token = agent_token.AgentToken(ACCOUNT, AGENT, SAMPLE_SECRET)
    accounts.put_agent(Agent(account=ACCOUNT, id=AGENT, site="this machine", credential=token.digest))
    invited = Enrolment(code=SAMPLE_CODE.digest, until=_NEVER)
    accounts.put_agent(Agent(account=ACCOUNT, id=SAMPLE_CODE.agent, site="another", credential="", enrolment=invited))


def _resources() -> JsonObject:
    """What holds data, under the names that it has in the template."""
    template = transformed(CHECKOUT / "template.yaml", LOCAL_PARAMETERS, CHECKOUT / ".local" / "cache")
    everything = as_object(plan(template, LOCAL_PARAMETERS, Addresses(0, 0, 0)).copy["Resources"])
    kept = {name: as_object(each) for name, each in everything.items() if as_object(each)["Type"] in _NAME}
    return {name: _named(each, name) for name, each in kept.items()}


def _named(resource: JsonObject, name: str) -> JsonObject:
    return resource | {"Properties": as_object(resource["Properties"]) | {_NAME[str(resource["Type"])]: name}}


if __name__ == "__main__":
    prepare(sys.argv[1])
    print(f"ready for sam local: account {ACCOUNT}, password {PASSWORD}, agent {AGENT}")
