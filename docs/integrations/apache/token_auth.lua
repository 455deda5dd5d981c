-- What api.conf beside this file has mod_lua do: token_authd is asked who may pass.
--
--   clean         for LuaHookAccessChecker: takes out of every request what only token_authd may say
--   authenticate  for LuaHookCheckUserID: whose token is it?
--   scope         for LuaAuthzProvider: has that token these scopes?
--   admitted      for LuaHookFixups: takes back a refusal, where something else lets in (<RequireAny>)
--
-- All that goes wrong in here ends in a refusal: httpd makes a 500 of an error in Lua.

local TOKEN_AUTHD = "/run/token_authd.sock"
local TIMEOUT = 5 -- seconds, to connect, to ask, and to hear it all

local CREDENTIALS = { "Authorization", "X-Api-Key", "X-Auth-Token", "Api-Key" }
local IDENTITY = { "X-Token-Id", "X-Token-Name", "X-Token-Scopes", "X-Auth-Mode" }

local UNAVAILABLE = '{"error": {"message": "The service is unavailable at the moment. Try again later.", '
    .. '"type": "server_error", "param": null, "code": "service_unavailable"}}\n'

local unix = require("socket.unix")

local is_ours = {}
for _, list in ipairs({ CREDENTIALS, IDENTITY }) do
    for _, name in ipairs(list) do
        is_ours[name:lower()] = true
    end
end

-- X_Token_Id and X.Token.Id look the same as X-Token-Id to many servers. Headers that Connection names
-- would be dropped on the way, the identity too.
function clean(r)
    for name in pairs(r:headers_in_table()) do
        local plain = name:lower():gsub("[^a-z0-9]", "-")
        if is_ours[plain] and plain ~= name:lower() then
            r.headers_in[name] = nil
        end
    end
    for _, name in ipairs(IDENTITY) do
        r.headers_in[name] = nil
    end
    local connection = r.headers_in["Connection"]
    if connection then
        local listed = "," .. connection:lower():gsub("%s", "") .. ","
        r.headers_in["Connection"] = listed:find(",close,", 1, true) and "close" or "keep-alive"
    end
    return apache2.DECLINED
end

-- All that token_authd says to these lines, or nil. It ends the connection, as this is HTTP/1.0.
local function answer_to(lines)
    local server = unix.stream()
    server:settimeout(TIMEOUT, "t")
    local answer = server:connect(TOKEN_AUTHD)
        and server:send(table.concat(lines, "\r\n") .. "\r\n\r\n")
        and server:receive("*a")
    server:close()
    return answer
end

-- What token_authd says of the request: a table of status, headers and body; empty where it says
-- nothing, or half of it. scopes are demanded, where given.
local function ask(r, scopes)
    local lines = { "GET /verify HTTP/1.0", "X-Forwarded-For: " .. r.useragent_ip }
    for _, name in ipairs(CREDENTIALS) do
        if r.headers_in[name] then
            lines[#lines + 1] = name .. ": " .. r.headers_in[name]
        end
    end
    if scopes then
        lines[#lines + 1] = "X-Required-Scope: " .. scopes
    end
    for _, line in ipairs(lines) do
        assert(not line:find("[\r\n]"), "a header of two lines")
    end
    local answer = answer_to(lines) or ""
    local status, head, body = answer:match("^HTTP/1%.[01] (%d%d%d)[^\r\n]*(\r\n.-\r\n)\r\n(.*)$")
    local headers = {}
    for name, value in (head or ""):gmatch("\n([^:\r\n]+): *([^\r\n]*)\r") do
        headers[name:lower()] = value
    end
    if not status or tonumber(headers["content-length"]) ~= #body then
        return { headers = {} }
    end
    return { status = tonumber(status), headers = headers, body = body }
end

-- It was not token_authd who said 200, if it does not say whose token it is.
local function accepts(answer)
    for _, name in ipairs(IDENTITY) do
        if (answer.headers[name:lower()] or "") == "" then
            return false
        end
    end
    return answer.status == 200
end

-- Has the client told what token_authd said; returns the status for that.
local function refusal(r, answer)
    local status, body = answer.status, answer.body
    if not status or status < 400 or body == "" then
        status, body = 503, UNAVAILABLE
    end
    r.err_headers_out["Cache-Control"] = "no-store"
    if answer.headers["www-authenticate"] then
        r.err_headers_out["WWW-Authenticate"] = answer.headers["www-authenticate"]
    end
    r.notes["token_refused"] = "yes" -- by this api.conf knows that the body is JSON
    r:custom_response(status, body)
    return status
end

function authenticate(r)
    local answer = ask(r)
    if not accepts(answer) then
        return refusal(r, answer)
    end
    for _, name in ipairs(IDENTITY) do
        r.headers_in[name] = answer.headers[name:lower()]
    end
    r.notes["token_id"] = answer.headers["x-token-id"]
    r.user = answer.headers["x-token-name"]
    return apache2.OK
end

-- Only who was let in comes here.
function admitted(r)
    if r.notes["token_refused"] then
        r.notes["token_refused"] = nil
        r.err_headers_out["Cache-Control"] = nil
        r.err_headers_out["WWW-Authenticate"] = nil
    end
    return apache2.DECLINED
end

-- Require token-scope NAME...: all of them.
function scope(r, ...)
    if select("#", ...) == 0 then
        return apache2.AUTHZ_GENERAL_ERROR
    elseif not r.user then
        return apache2.AUTHZ_DENIED_NO_USER -- authenticate first
    end
    local answer = ask(r, table.concat({ ... }, " "))
    if accepts(answer) then
        return apache2.AUTHZ_GRANTED
    elseif refusal(r, answer) == 403 then
        return apache2.AUTHZ_DENIED
    end
    return apache2.AUTHZ_GENERAL_ERROR
end
