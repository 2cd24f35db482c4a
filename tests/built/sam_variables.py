"""Runs under the SAM CLI's own Python: prints the environment that `sam local invoke` would give each function.

    sam_variables.py TEMPLATE ENV_JSON SAMCONFIG CONFIG_ENV ARCHITECTURE

Fails unless each function would be run on the architecture, which is the one that was built.
"""

import json
import sys
from pathlib import Path

from samcli.cli.types import CfnParameterOverridesType
from samcli.commands.local.lib.local_lambda import LocalLambdaRunner
from samcli.lib.config.samconfig import SamConfig
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

template, overrides, samconfig, config_env, architecture = sys.argv[1:]
config = SamConfig(str(Path(samconfig).parent), Path(samconfig).name)
given = config.get_all(["local", "invoke"], "parameters", config_env)["parameter_overrides"]
parameters = CfnParameterOverridesType().convert(given, None, None)
stacks, _ = SamLocalStackProvider.get_stacks(template, parameter_overrides=parameters)
provider = SamFunctionProvider(stacks)
run_on = {each.name: each.architectures for each in provider.get_all()}
assert all(each == [architecture] for each in run_on.values()), f"built for {architecture}, run on {run_on}"
values = json.loads(Path(overrides).read_text(encoding="utf-8"))
runner = LocalLambdaRunner(None, provider, ".", ".", aws_region="us-east-1", env_vars_values=values)
found = {each.name: runner._make_env_vars(each).resolve() for each in provider.get_all()}
print(json.dumps(found))
