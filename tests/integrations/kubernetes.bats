#!/usr/bin/env bats
# docs/integrations/kubernetes: no cluster is here, so the manifests are held against the API's schemas, and
# what the kubelet does with a mounted Secret is done by hand, link for link.
# shellcheck disable=SC2154,SC2030,SC2031,SC2034  # variables of what is loaded and of run; a test is a subshell

bats_require_minimum_version 1.5.0
load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/upstream
load ../cli/nginx
load npm

tree=$BATS_TEST_DIRNAME/../..
kubernetes=$tree/docs/integrations/kubernetes
# What the helpers look for beside the test.
BATS_TEST_DIRNAME=${BATS_TEST_DIRNAME%/*}/cli

# What is wrong with JSON documents, one a line, by the schemas of npm's kubernetes-models. They let pass
# what they do not know; so each field has to be one that the schema has looked at: wrong_in FILE
wrong_in() {
    # shellcheck disable=SC2016 # JavaScript
    in_node '
        const schemas = process.env.NODE_PATH + "/kubernetes-models/_schemas/IoK8sApi";
        const capital = (word) => word[0].toUpperCase() + word.slice(1);
        function watched(value, path, unseen) {
            if (value === null || typeof value !== "object") return value;
            const inner = {};
            for (const key of Object.keys(value)) {
                if (!Array.isArray(value)) unseen.add(path + "." + key);
                inner[key] = watched(value[key], Array.isArray(value) ? path + "[]" : path + "." + key, unseen);
            }
            return new Proxy(value, {
                get(target, key) {
                    unseen.delete(path + "." + String(key));
                    return Object.hasOwn(inner, key) ? inner[key] : target[key];
                },
            });
        }
        for (const line of require("fs").readFileSync(process.argv[1], "utf8").trim().split("\n")) {
            const document = JSON.parse(line), unseen = new Set();
            const [group, version] = document.apiVersion.includes("/") ? document.apiVersion.split("/") : ["core", document.apiVersion];
            const name = capital(group.split(".")[0]) + capital(version) + document.kind;
            const { validate } = require(schemas + name + ".js");
            if (!validate(watched(document, document.kind, unseen)))
                for (const error of validate.errors)
                    console.log(document.kind, error.instancePath, error.message ?? error.keyword, JSON.stringify(error.params));
            for (const path of unseen) console.log("no such field:", path);
        }' "$1"
}

# The folder of nginx' files and the manifests in ./here/kubernetes, as README.md has them made.
make_configuration() {
    mkdir -p here
    ln -s "$tree/docs/integrations/nginx" "$tree/docs/integrations/watching" here/
    cp -r "$kubernetes" here/kubernetes
    (cd here/kubernetes && eval "$(sed -n '/^sed .*watch.conf/,/>nginx.conf$/p' README.md)")
}

@test "the manifests are as the API wants them, and have no field that it does not know" {
    needs_node_modules yaml kubernetes-models
    needs jq
    documents_of "$kubernetes/token_authd.yaml" >documents
    same "$(jq -r .kind documents | xargs)" "Deployment Service NetworkPolicy"
    run wrong_in documents
    exits 0
    same "$output" ""
    # And this would be noticed:
    jq -c '.spec.template.spec.containers[]?.securityContext.readOnlyRootFileSystem = true' documents >misspelt
    says "$(wrong_in misspelt)" "no such field: Deployment.spec.template.spec.containers[].securityContext.readOnlyRootFileSystem"
    jq -c '.spec.replicas? = "two"' documents >mistyped
    says "$(wrong_in mistyped)" "/spec/replicas"
}

@test "each container but yours is without root and rights, and can write nothing but what it needs" {
    needs_node_modules yaml
    needs jq
    documents_of "$kubernetes/token_authd.yaml" | jq 'select(.kind == "Deployment").spec.template.spec' >pod
    jq -e '[.containers[] | select(.name != "api").securityContext] | length == 2 and all(.runAsNonRoot
        and .runAsUser > 0 and .readOnlyRootFilesystem and .allowPrivilegeEscalation == false
        and .capabilities.drop == ["ALL"])' pod
    jq -e '.containers[] | select(.name == "token_authd").volumeMounts[] | select(.name == "tokens")
        | .readOnly and (has("subPath") | not)' pod
    same "$(jq -r '[.containers[] | select(any(.volumeMounts[]?; .name == "tokens")).name] | join(" ")' pod)" token_authd
    jq -e '.volumes[] | select(.name == "tokens").secret | .defaultMode == 288 and .secretName == "api-tokens"' pod
    # What is mounted is there, and what is there is mounted.
    same "$(jq -r '[.containers[].volumeMounts[]?.name] | unique | join(" ")' pod)" \
        "$(jq -r '[.volumes[].name] | unique | join(" ")' pod)"
    # Where the image looks for them.
    says "$(cat "$tree/docs/integrations/containers/Containerfile")" "API_TOKENS_FILE=/tokens/api_tokens.json"
    says "$(cat "$tree/docs/integrations/containers/Containerfile")" '"unix:/sockets/token_authd.sock", "--usage", "/usage/'
}

@test "kubectl makes the whole of it, with nginx' configuration as README.md has it made" {
    needs kubectl jq
    needs_node_modules yaml kubernetes-models
    make_configuration
    HOME=$PWD kubectl kustomize here/kubernetes >all.yaml
    documents_of all.yaml >documents
    run wrong_in documents
    exits 0
    same "$output" ""
    map=$(jq -r 'select(.kind == "ConfigMap").metadata.name' documents)
    same "$(jq -r 'select(.kind == "Deployment").spec.template.spec.volumes[].configMap.name // empty' documents)" "$map"
    jq -r 'select(.kind == "ConfigMap").data["nginx.conf"]' documents >made.conf
    same "$(diff "$tree/docs/integrations/nginx/nginx.conf" made.conf | sed -n 's/^> *//p')" \
        $'server unix:/sockets/token_authd.sock;\nlisten 8080;\ninclude watch.conf;'
    jq -r 'select(.kind == "ConfigMap").data["watch.conf"]' documents >watch.conf
    same "$(diff "$tree/docs/integrations/watching/watch.conf" watch.conf | sed -n 's/^> *//p')" "listen 8081;"
}

@test "the probes ask for paths and ports that nginx has" {
    local watch_port path
    needs nginx token_authd
    needs_node_modules yaml
    write_tokens "$(record one "$token_one")"
    start_authd --listen unix:authd.sock
    start_upstream
    watch_port=$(free_port)
    integration watching/watch.conf 127.0.0.1:8081 "127.0.0.1:$watch_port" >watch.conf
    start_nginx $'\n    }\n}' $'\n    }\n    include watch.conf;\n}'
    authd_url=http://127.0.0.1:$watch_port
    documents_of "$kubernetes/token_authd.yaml" | jq 'select(.kind == "Deployment").spec.template.spec.containers' >all
    same "$(jq -c '[.[].ports[]?.containerPort]' all)" "[8080,8081]"
    same "$(jq -c '[.[].livenessProbe.httpGet.port // empty]' all)" "[8081]"
    for path in $(jq -r '.[] | (.readinessProbe, .livenessProbe).httpGet.path // empty' all); do
        ask "$path"
        same "$path $code" "$path 200"
    done
    echo '?' >api_tokens.json
    ask "$(jq -r '.[].readinessProbe.httpGet.path // empty' all)" # no requests come here …
    same "$code" 503
    ask "$(jq -r '.[].livenessProbe.httpGet.path // empty' all)" # … but nothing is started anew
    [[ $code == 2?? ]] || fail "the status is $code"
}

# What the kubelet does when the Secret is another: a new folder, a new link in place of ..data, and then
# the old folder is gone. The names that people see are links through ..data: project FILE
project() {
    local old='' new
    mkdir -p volume
    [ ! -L volume/..data ] || old=$(readlink volume/..data)
    new=..2026_11_30_12_00_$((projections + 10)).$RANDOM$RANDOM
    projections=$((projections + 1))
    mkdir "volume/$new"
    install -m 440 "${owner[@]}" "$1" "volume/$new/api_tokens.json"
    ln -s "$new" volume/..data_tmp
    mv -T volume/..data_tmp volume/..data
    [ -L volume/api_tokens.json ] || ln -s ..data/api_tokens.json volume/api_tokens.json
    [ -z "$old" ] || rm -r "volume/$old"
}
projections=0
owner=()

# Has start_authd start it as in the pod: the volume read-only, as another user, where we are root.
live_in_pod() {
    mkdir -p usage volume
    if [ "$(id -u)" = 0 ] && unshare --mount true 2>/dev/null; then
        share_folder
        chown 65534:65534 usage
        # shellcheck disable=SC2016 # for that shell
        authd_under=(unshare --mount bash -c 'mount --make-rprivate / && mount --bind volume volume &&
            mount -o remount,bind,ro volume && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"' -)
        owner=(-o root -g 65534)
    fi
}

@test "a Secret that is replaced under a running token_authd counts from the next request on, each time" {
    local round
    live_in_pod
    token_file=local.json write_tokens "$(record one "$token_one")"
    project local.json
    start_authd --file volume/api_tokens.json --usage usage/last_uses --require-auth
    lets_in "$token_one"
    for round in 1 2 3; do
        token_file=local.json write_tokens "$(record one "$token_one" "\"revoked_at\": \"$past\"")" \
            "$(record "two-$round" "$token_two")"
        project local.json
        keeps_out "$token_one"
        lets_in "$token_two"
        token_file=local.json write_tokens "$(record one "$token_one")"
        project local.json
        lets_in "$token_one"
        keeps_out "$token_two"
    done
    echo '{"version": 1, "tok' >local.json
    project local.json
    keeps_out "$token_one" 503
    token_file=local.json write_tokens "$(record one "$token_one")"
    project local.json
    lets_in "$token_one"
    # Read-only, so the last uses went elsewhere, and nothing was left in the volume.
    stop_authd
    exits 0
    says "$(cat usage/last_uses)" "$(id_of "$token_one")"
    same "$(cd volume && find . -name '*usage*' -o -name '*.lock' -o -name '*.tmp')" ""
    same "$(logged ready)" 1
    # In its sandbox, where the kernel has one, as it was not told otherwise.
    lacks "$(log_lines ready)" "it was not wanted"
}

@test "the library's other readers see a replaced Secret, too" {
    token_file=local.json write_tokens "$(record one "$token_one")"
    project local.json
    coproc "$verifier" stream --file volume/api_tokens.json --usage last_uses 2>/dev/null 3>&-
    started+=("$COPROC_PID")
    printf '%s\n' "$token_one" >&"${COPROC[1]}"
    read -r -t 10 answer <&"${COPROC[0]}"
    same "$answer" "OK $(id_of "$token_one") one"
    token_file=local.json write_tokens "$(record two "$token_two")"
    project local.json
    printf '%s\n' "$token_one" "$token_two" >&"${COPROC[1]}"
    read -r -t 10 answer <&"${COPROC[0]}"
    same "$answer" "ERR unknown"
    read -r -t 10 answer <&"${COPROC[0]}"
    same "$answer" "OK $(id_of "$token_two") two"
    verdict "$token_two" --file volume/api_tokens.json --usage last_uses
    accepted "$(id_of "$token_two")" two
}

# kubectl whose `create` is the real one, and whose `apply` leaves what it is given in ./applied.
stand_in_for_cluster() {
    needs kubectl
    real=$(command -v kubectl)
    mkdir bin
    # shellcheck disable=SC2016 # for that script
    printf '%s\n' '#!/bin/sh' 'case $1 in' "create) exec $real \"\$@\" ;;" 'esac' 'echo "$@" >>called' \
        'cat >applied.new && [ -s applied.new ] && mv applied.new applied' >bin/kubectl
    chmod +x bin/kubectl
    export PATH=$PWD/bin:$BIN:$PATH HOME=$PWD
}

@test "publish.sh hands over the very file, as the Secret that the pods mount" {
    needs jq
    needs_node_modules yaml kubernetes-models
    stand_in_for_cluster
    token=$(create app)
    "$kubernetes/publish.sh" api_tokens.json --namespace my-api
    same "$(cat called)" "apply --server-side --namespace my-api -f -"
    documents_of applied >documents
    same "$(wrong_in documents)" ""
    same "$(jq -r '.kind, .metadata.name, .metadata.namespace' documents | xargs)" "Secret api-tokens my-api"
    same "$(jq -r '.data | keys[]' documents)" api_tokens.json
    jq -r '.data["api_tokens.json"]' documents | base64 -d >arrived.json
    cmp arrived.json api_tokens.json
    lacks "$(cat applied arrived.json called)" "$token"
    project arrived.json
    check "$token" --file volume/api_tokens.json --usage last_uses
    exits 0
    "$manager" revoke app 2>/dev/null
    "$kubernetes/publish.sh" api_tokens.json
    documents_of applied | jq -r '.data["api_tokens.json"]' | base64 -d >arrived.json
    project arrived.json
    check "$token" --file volume/api_tokens.json --usage last_uses
    exits 1
}

@test "publish.sh hands over nothing that no verifier would take" {
    local content
    stand_in_for_cluster
    for content in '' '{"version": 1, "tokens": [' '{"version": 2, "tokens": []}' '{}'; do
        printf %s "$content" >bad.json
        run "$kubernetes/publish.sh" bad.json
        exits 6
        [ ! -e called ] || fail "this was handed over: $content"
    done
    run "$kubernetes/publish.sh" missing.json
    [ "$status" != 0 ] && [ ! -e called ]
    run "$kubernetes/publish.sh"
    [ "$status" != 0 ] && [ ! -e called ]
    # shellcheck disable=SC2016 # for that script
    printf '#!/bin/sh\n[ "$1" = apply ] || exit 1\ncat >got; [ -s got ]\n' >bin/kubectl # it cannot make it
    create app >/dev/null
    run "$kubernetes/publish.sh" api_tokens.json
    [ "$status" != 0 ] && [ ! -s got ]
}
