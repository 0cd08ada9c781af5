# Sourced by demo, lab and stop: the demo's folder and its own server, apart from a person's own.
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
DEMO=$ROOT/demo
export MLALM_WORKSPACE=$DEMO
export MLALM_HOME=${MLALM_DEMO_HOME:-$DEMO/.home}
export PATH=$ROOT/.venv/bin:$PATH
unset MLALM_RUN MLALM_JOB
