#!/usr/bin/env bash
# Starts the local DigitalOcean's API and prints the environment in which the official engine and plugins use it.
set -euo pipefail
export ARCHIPELAGO_MACHINES=simulated
npm run --silent local -- api
backend=$(mktemp -d)
ssh-keygen -q -t ed25519 -N "" -f "$backend/id_ed25519"
cat <<EOF
LOCAL_BACKEND_URL=file://$backend
PULUMI_CONFIG_PASSPHRASE=local
ARCHIPELAGO_LOCAL=1
ARCHIPELAGO_MACHINES=simulated
ARCHIPELAGO_SSH_KEY=$backend/id_ed25519
EOF
