# Each target is one short script in .ci/; continuous integration runs the same ones.
# Every target may be interrupted at any point and run again.
.DEFAULT_GOAL := help
.PHONY: help setup demo lab stop test check prove-skeleton prove-experiments prove-models prove-services prove-conversion docs lock changelog clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' Makefile

demo: ## set up, run the tour end to end, leave its service answering
	@.ci/demo

lab: ## open JupyterLab on the demo's folder
	@.ci/lab

stop: ## stop the demo's server
	@.ci/stop

setup: ## make .venv from the lock, build the lab extension, install both
	@.ci/setup

test: ## set up what the tests need and run all of them
	@.ci/test

check: ## lint, format, types, import contracts and the rules of the tree
	@.ci/check

prove-skeleton: ## run the walking skeleton's tests at full counts
	@.ci/prove skeleton

prove-experiments: ## run the tests of experiments, snapshots and kills at full counts
	@.ci/prove experiments

prove-models: ## run the tests of models, formats and hostile files at full counts
	@.ci/prove models

prove-services: ## run the tests of definitions, services, endpoints and their wires at full counts (an hour of fuzzing)
	@.ci/prove services

prove-conversion: ## run the tests of predictive notebooks, and the whole corpus of training notebooks
	@.ci/prove conversion

docs: ## write the reference pages anew from the code
	@.ci/docs

lock: ## renew .ci/requirements.lock (UPGRADE=1: to the newest versions)
	@.ci/lock

changelog: ## gather changelog/ into CHANGELOG.md (VERSION=0.1.0)
	@.ci/changelog "$(VERSION)"

clean: ## stop the demo's server and remove everything that make has made
	@.ci/clean
