# What leaves this machine: the functions, the agent's packages, and the proof that both work there.
#
#   make build    [ARCH=x86_64]                 the functions and the layer as they are deployed
#   make deploy   [ENV=dev] [ARGS="--guided"]   to your AWS account: docs/deploy.md
#   make admin                                  what the operator's `.venv/bin/python -m admin` needs, also on another desk
#   make dist                                   the agent as a wheel and as a Debian package, in dist/
#   make test-built                             what was built, under AWS's own runtime client
#   make test-deploy                            what was built, deployed to an independent emulator of AWS
#   make test-dist                              both packages, installed and started in a clean root
#
# Each tool has an environment of its own. `sam build` wants a python3.13 on the PATH; the one of .venv-built serves.

ARCH ?= arm64
ENV ?= default
sam = PATH="$(CURDIR)/.venv-built/bin:$$PATH" $(SAM_VENV)/bin/sam
sam_build = ARCH=$(1) $(sam) build --build-dir .aws-sam/$(2) --parameter-overrides Architecture=$(1)
# As AWS calls the machine that this is.
HERE := $(subst aarch64,arm64,$(shell uname -m))

build: $(SAM) built-venv
	$(call sam_build,$(ARCH),build)

deploy: build admin
	$(sam) deploy --config-env $(ENV) $(ARGS)

admin: $(LOCAL)

check-template: $(SAM)
	@requirements/venv.sh .venv-checkov requirements/checkov.txt 3.11
	$(SAM_VENV)/bin/sam validate --lint --region us-east-1
	.venv-checkov/bin/checkov --config-file .checkov.yaml

test-built: $(DEV) $(SAM) built-venv
	$(call sam_build,arm64,arm64)
	$(call sam_build,x86_64,x86_64)
	$(VENV)/bin/python -m pytest tests/built $(ARGS)
	$(VENV)/bin/python -m benchmarks.cold_start

test-deploy: $(DEV) $(SAM) built-venv
	@requirements/venv.sh .venv-ministack requirements/ministack.txt 3.13
	$(call sam_build,$(HERE),$(HERE))
	$(VENV)/bin/python -m pytest tests/deploy $(ARGS)

dist: $(DEV)
	PYTHON=$(VENV)/bin/python packaging/build.sh dist

test-dist: dist
	$(VENV)/bin/python -m pytest tests/packages $(ARGS)

built-venv:
	@requirements/venv.sh .venv-built requirements/built.txt 3.13

.PHONY: build deploy admin check-template test-built test-deploy dist test-dist built-venv
