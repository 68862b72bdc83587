-- Signatures that the official libraries' own tests and the service's security
-- page give, all made with the token "12345".
--
-- A row has a body (JSON) where it has no params; a row without a signature is
-- a delivery without the header.
local CALL = {
  CallSid = "CA1234567890ABCDE",
  Caller = "+14158675309",
  Digits = "1234",
  From = "+14158675309",
  To = "+18005551212",
}
local CONFERENCE = {
  CallSid = "CA1234567890ABCDE",
  Caller = "+14158675309",
  Digits = "1234",
  From = "+14158675309",
  To = "+18005551212",
  ReasonConferenceEnded = "test",
  Reason = "Participant",
}
return {
  {
    name = "default",
    url = "https://mycompany.com/myapp.php?foo=1&bar=2",
    params = CALL,
    signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
    valid = true,
  },
  {
    name = "wrong-signature",
    url = "https://mycompany.com/myapp.php?foo=1&bar=2",
    params = CALL,
    signature = "WRONG_SIGNATURE",
    valid = false,
  },
  {
    name = "null-signature",
    url = "https://mycompany.com/myapp.php?foo=1&bar=2",
    params = CALL,
    valid = false,
  },
  {
    name = "https-port-stripped",
    url = "https://mycompany.com:1234/myapp.php?foo=1&bar=2",
    params = CALL,
    signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
    valid = true,
  },
  {
    name = "http-custom-port",
    url = "http://mycompany.com:1234/myapp.php?foo=1&bar=2",
    params = CALL,
    signature = "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=",
    valid = true,
  },
  {
    name = "https-add-443",
    url = "https://mycompany.com/myapp.php?foo=1&bar=2",
    params = CALL,
    signature = "kvajT1Ptam85bY51eRf/AJRuM3w=",
    valid = true,
  },
  {
    name = "http-add-80",
    url = "http://mycompany.com/myapp.php?foo=1&bar=2",
    params = CALL,
    signature = "0ZXoZLH/DfblKGATFgpif+LLRf4=",
    valid = true,
  },
  {
    name = "creds-user-pass",
    url = "https://user:pass@mycompany.com/myapp.php?foo=1&bar=2",
    params = CALL,
    signature = "CukzLTc1tT5dXEDIHm/tKBanW10=",
    valid = true,
  },
  {
    name = "creds-user-only",
    url = "https://user@mycompany.com/myapp.php?foo=1&bar=2",
    params = CALL,
    signature = "2YRLlVAflCqxaNicjMpJcSTgzSs=",
    valid = true,
  },
  {
    name = "creds-add-443",
    url = "https://user:pass@mycompany.com/myapp.php?foo=1&bar=2",
    params = CALL,
    signature = "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI=",
    valid = true,
  },
  {
    name = "url-apostrophe",
    url = "https://mycompany.com/myapp.php?"
      .. "foo=1&bar=2&Body=It's+amazing",
    params = CALL,
    signature = "TfZzewPq8wqrGlMfyAud8+/IvJ0=",
    valid = true,
  },
  {
    name = "array-param",
    url = "https://mycompany.com/myapp.php?foo=1&bar=2",
    params = {
      ["MessagingBinding.Address"] = { "+1325xxxxxxx", "+1415xxxxxxx" },
    },
    signature = "83O6e2vORAoJHUNzJjDWN1jz+BA=",
    valid = true,
  },
  {
    name = "array-param-unsorted",
    url = "https://mycompany.com/myapp.php?foo=1&bar=2",
    params = {
      ["MessagingBinding.Address"] = { "+1415xxxxxxx", "+1325xxxxxxx" },
    },
    signature = "83O6e2vORAoJHUNzJjDWN1jz+BA=",
    valid = true,
  },
  {
    name = "array-dups",
    url = "https://mycompany.com/myapp.php?foo=1&bar=2",
    params = {
      Sid = "CA123",
      SidAccount = "AC123",
      Digits = { "5678", "1234", "1234" },
    },
    signature = "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
    valid = true,
  },
  {
    name = "body-sha256",
    url = "https://mycompany.com/myapp.php?foo=1&bar=2&"
      .. "bodySHA256="
      .. "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620",
    body = '{"property": "value", "boolean": true}',
    signature = "a9nBmqA0ju/hNViExpshrM61xv4=",
    valid = true,
  },
  {
    name = "body-sha256-empty-object",
    url = "https://mycompany.com/myapp.php?foo=1&bar=2&"
      .. "bodySHA256="
      .. "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    body = '{}',
    signature = "Ldidvp12m26NI7eqEvxnEpkd9Hc=",
    valid = true,
  },
  {
    name = "body-sha256-only-param",
    url = "https://mycompany.com/myapp.php?"
      .. "bodySHA256="
      .. "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620",
    body = '{"property": "value", "boolean": true}',
    signature = "y77kIzt2vzLz71DgmJGsen2scGs=",
    valid = true,
  },
  {
    name = "go-default",
    url = "https://mycompany.com/myapp.php?foo=1&bar=2",
    params = CONFERENCE,
    signature = "vOEb5UThFn24KEfnOFLQY2AE5FY=",
    valid = true,
  },
  {
    name = "go-wrong-sort",
    url = "https://mycompany.com/myapp.php?foo=1&bar=2",
    params = CONFERENCE,
    signature = "95+Bu0JVPi0r/SsESZCVf0dWAjw=",
    valid = false,
  },
  {
    name = "go-https-port",
    url = "https://mycompany.com:1234/myapp.php?foo=1&bar=2",
    params = CONFERENCE,
    signature = "vOEb5UThFn24KEfnOFLQY2AE5FY=",
    valid = true,
  },
  {
    name = "go-http",
    url = "http://mycompany.com/myapp.php?foo=1&bar=2",
    params = CONFERENCE,
    signature = "n2xBNyzSW7rfYStDtOFiFMv7qNo=",
    valid = true,
  },
  {
    name = "go-http-port",
    url = "http://mycompany.com:1234/myapp.php?foo=1&bar=2",
    params = CONFERENCE,
    signature = "n2xBNyzSW7rfYStDtOFiFMv7qNo=",
    valid = true,
  },
  {
    name = "go-form-body",
    url = "https://mycompany.com/myapp.php?foo=1&bar=2",
    params = {
      property = "value",
      boolean = "true",
    },
    signature = "NBdBDr/T/lgjI+tlgpXjKZQZs/k=",
    valid = true,
  },
  {
    name = "docs-worked-example",
    url = "https://example.com/myapp.php?foo=1&bar=2",
    params = {
      CallSid = "CA1234567890ABCDE",
      Caller = "+14158675310",
      Digits = "1234",
      From = "+14158675310",
      To = "+18005551212",
    },
    signature = "L/OH5YylLD5NRKLltdqwSvS0BnU=",
    valid = true,
  },
  {
    name = "docs-old-worked-example",
    url = "http://mycompany.com/myapp.php?foo=1&bar=2",
    params = {
      Digits = "1234",
      To = "+18005551212",
      From = "+14158675309",
      CallSid = "CA1234567890ABCDE",
    },
    signature = "HpS7PBa1Agvt4OtO+wZp75IuQa0=",
    valid = true,
  },
}
