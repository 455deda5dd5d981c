#!/bin/sh
# Hands a token file to the cluster, as the Secret that the pods mount. Run it after each change, by
# yourself or from cron, only where the one file is that token_manager changes: an older copy would bring
# revoked tokens back.
#
# usage: publish.sh FILE [KUBECTL-OPTION...]      publish.sh api_tokens.json --namespace my-api
set -eu

file=${1:?usage: publish.sh FILE [KUBECTL-OPTION...]}
shift

# What no verifier would take does not leave this machine. A copy, so that what was looked at is what goes.
copy=$(mktemp)
trap 'rm -f "$copy"' EXIT
cat "$file" >"$copy"
token_manager list --file "$copy" --no-env-file --json >/dev/null

# (The other kind of `apply` keeps a second copy in an annotation, which has room for few tokens.)
kubectl create secret generic api-tokens --from-file=api_tokens.json="$copy" "$@" --dry-run=client -o yaml |
    kubectl apply --server-side "$@" -f -
