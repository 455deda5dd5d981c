-- The action token_auth: asks token_authd, at the address that is its argument, about a request.
--
-- Let in: sets the headers X-Token-Id, X-Token-Name, X-Token-Scopes and X-Auth-Mode, the variables
-- txn.token_id and txn.token_name, and last txn.token_accepted. Refused: the client gets token_authd's
-- answer. Neither: nothing is set, and it is for the configuration to refuse.
--
-- The variable txn.required_scope, where it is set, names scopes that are demanded.

local CREDENTIALS = { "authorization", "x-api-key", "x-auth-token", "api-key" }
local IDENTITY = { "x-token-id", "x-token-name", "x-token-scopes", "x-auth-mode" }
local RELAYED = { "content-type", "cache-control", "www-authenticate" }

-- All values of a header. HAProxy counts them from 0, Lua from 1.
local function values(headers, name)
    local list = {}
    local value = headers[name] and headers[name][0]

    while value do
        list[#list + 1] = value
        value = headers[name][#list]
    end
    return list
end

-- Every value of every credential, because a header that was sent twice is to be refused.
local function question(txn)
    local sent = txn.http:req_get_headers()
    local headers = {}

    for _, name in ipairs(CREDENTIALS) do
        headers[name] = values(sent, name)
    end
    headers["x-forwarded-for"] = { txn.f:src() }
    headers["x-required-scope"] = { txn:get_var("txn.required_scope") }
    return headers
end

local function let_in(txn, answer)
    local identity = {}

    for _, name in ipairs(IDENTITY) do
        identity[name] = values(answer.headers, name)[1]
        if not identity[name] then
            return -- it was not token_authd who said 200
        end
    end
    for _, name in ipairs(IDENTITY) do
        txn.http:req_set_header(name, identity[name])
    end
    txn:set_var("txn.token_id", identity["x-token-id"])
    txn:set_var("txn.token_name", identity["x-token-name"])
    txn:set_var("txn.token_accepted", true)
end

local function refuse(txn, answer)
    local reply = txn:reply({ status = answer.status, body = answer.body })

    for _, name in ipairs(RELAYED) do
        for _, value in ipairs(values(answer.headers, name)) do
            reply:add_header(name, value)
        end
    end
    txn:done(reply)
end

core.register_action("token_auth", { "http-req" }, function(txn, verifier)
    -- `dst` decides where this goes. The URL names an address so that HAProxy looks no name up.
    local answer = core.httpclient():get({
        url = "http://127.0.0.1/verify",
        dst = verifier,
        headers = question(txn),
        timeout = 2000, -- milliseconds, and HAProxy asks four times
    })

    if answer.status == 200 then
        let_in(txn, answer)
    elseif answer.status >= 400 then
        refuse(txn, answer)
    end
end, 1)
