"""Runs under the SAM CLI's own Python: prints the environment that `sam local invoke` would give each function."""

import json
import sys
from pathlib import Path

from samcli.commands.local.lib.local_lambda import LocalLambdaRunner
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

template, overrides = sys.argv[1:]
parameters = {"Environment": "local", "AllowLoopbackPush": "true"}  # as in samconfig.toml
stacks, _ = SamLocalStackProvider.get_stacks(template, parameter_overrides=parameters)
provider = SamFunctionProvider(stacks)
values = json.loads(Path(overrides).read_text(encoding="utf-8"))
runner = LocalLambdaRunner(None, provider, ".", ".", aws_region="us-east-1", env_vars_values=values)
found = {each.name: runner._make_env_vars(each).resolve() for each in provider.get_all()}
print(json.dumps(found))
