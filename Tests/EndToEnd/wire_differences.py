"""Where nginx 1.22 and the http of Node 18 and 20 do something else with the cases of `wire_cases`, and why wire-server
is right.

A reason stands once, over all cases that it holds for. With `|` between stands what different versions do. Others than
wire-server may mend their ways: a difference that is no more fails nothing.
"""

DIFFERENCES = {
    "9112 §2.2 lets a recipient end lines at a bare LF; one that does not reads the same message otherwise "
    "(smuggling).": {
        "9112 §2.2: bare LF ends no line": {"nginx": "200 kept"},
        "9112 §2.2: bare LF ends no field": {"nginx": "200 kept"},
    },
    "9112 §3: a request line is its parts with single spaces; one that is not is 400 and not corrected.": {
        "9112 §3: two spaces behind the method": {"nginx": "200 kept", "node": "200 kept"},
        "9112 §3: two spaces before the version": {"nginx": "200 kept", "node": "200 kept"},
        "9112 §3: white space behind the version": {"nginx": "200 kept"},
    },
    "9110 §9.1, 9112 §3: a method that is a token and not known, or too long to be, is 501, not a fault.": {
        "9110 §9.1: methods are case-sensitive": {"nginx": "400 closed", "node": "400 closed"},
        "9110 §9.1: an unknown method": {"nginx": "501 closed", "node": "400 closed"},
        "9112 §3: a method longer than any": {"nginx": "400 closed", "node": "400 closed"},
        "9112 §9.3.2: answers in order": {"nginx": "200 501 closed", "node": "400 closed"},
    },
    "9110 §15.6.2: CONNECT is a method of the standard that is not implemented here; it gets an answer.": {
        "9110 §9.3.6: CONNECT": {"nginx": "400 closed", "node": "closed"},
    },
    "9110 §15.5.6: a method that is not allowed leaves the connection as it is.": {
        "9110 §9.3.8: TRACE": {"nginx": "405 closed"},
    },
    "9112 §3: a target longer than any that would be parsed is 414.": {
        "9112 §3: a target longer than any": {"node": "431 closed"},
    },
    "9110 §15.6.6: another major version is 505; nothing older than 1.0 is spoken, least of all without a status "
    "line.": {
        "HTTP/0.9": {"nginx": "garbage"},
        "9110 §2.5: version 0.9": {"nginx": "400 closed", "node": "400 closed | 200 closed"},
        "9110 §15.6.6: version 2.0": {"node": "400 closed | 200 closed"},
        "9113 §3.4: the preface of HTTP/2": {"nginx": "400 closed", "node": "400 closed"},
    },
    "9110 §2.5: a higher minor version is answered as the highest that is known; a version has one digit each.": {
        "9110 §2.5: version 1.9 is answered as 1.1": {"node": "400 closed"},
        "9112 §2.3: version 1.10": {"nginx": "200 kept"},
    },
    "9110 §4.2.3, 3986 §6.2.2.2: an unreserved character means the same encoded or not.": {
        "9110 §4.2.3: an unreserved character may be encoded": {"node": "404 kept"},
    },
    "9112 §3.2, 3986 §2 and §3.3: what no URI can have is 400, before programs behind it read it each in its own "
    "way.": {
        "3986 §2.1: % without digits": {"node": "404 kept"},
        "3986 §2.1: % at the end": {"node": "404 kept"},
        "9112 §3.2: a fragment": {"nginx": "200 kept", "node": "404 kept"},
        "3986 §2: a byte beyond ASCII": {"nginx": "404 kept", "node": "404 kept"},
        "3986 §2: a backslash": {"nginx": "404 kept", "node": "404 kept"},
    },
    "3986 §5.2.4, §2.1: dot segments and an encoded NUL are a valid path; here no path is a file's, so it is "
    "unknown.": {
        "3986 §3.3: dot segments lead nowhere": {"nginx": "400 closed"},
        "9112 §3.2: an encoded NUL is a byte like any other": {"nginx": "400 closed"},
    },
    "9110 §4.2.1, §4.2.4: an http URI without a host, or with user information, is invalid.": {
        "9110 §4.2.1: an empty host": {"node": "404 kept"},
        "9110 §4.2.4: user information": {"node": "404 kept"},
    },
    "9110 §7.4: what is asked of another origin, or over a connection that is not as secure as its scheme, is "
    "refused.": {
        "9110 §7.4: https on a connection without TLS": {"nginx": "200 kept", "node": "404 kept"},
        "9112 §3.2.2: a scheme of another protocol": {"nginx": "200 kept", "node": "404 kept"},
    },
    "9112 §3.2.4: * is the server as a whole, and for OPTIONS only.": {
        "9112 §3.2.4: asterisk form": {"nginx": "400 closed"},
        "9112 §3.2.4: asterisk form of another method": {"node": "204 kept"},
    },
    "9112 §3.2: no Host, more than one, or one that is invalid (9110 §7.2, §4.2), is 400.": {
        "9112 §3.2: no Host": {"node": "200 kept"},
        "9112 §3.2.2: Host has to be there all the same": {"node": "200 kept"},
        "9112 §3.2: HTTP/1.0 has no two": {"node": "200 closed"},
        "9112 §3.2: two Host fields": {"node": "200 kept"},
        "9112 §3.2: two Host fields that differ": {"node": "200 kept"},
        "9110 §7.2: an empty Host": {"node": "200 kept"},
        "9110 §7.2: a port that is none": {"nginx": "200 kept", "node": "200 kept"},
        "9110 §7.2: a port beyond 65535": {"nginx": "200 kept", "node": "200 kept"},
        "9110 §7.2: user information": {"nginx": "200 kept", "node": "200 kept"},
        "9110 §7.2: a path": {"node": "200 kept"},
        "9110 §7.2: an unclosed bracket": {"nginx": "200 kept", "node": "200 kept"},
        "9110 §7.2: a list": {"node": "200 kept"},
        "9110 §7.2: a list without white space": {"nginx": "200 kept", "node": "200 kept"},
    },
    "9112 §3.2 requires Host of HTTP/1.1 only.": {
        "9112 §3.2: HTTP/1.0 needs none": {"node": "400 closed"},
        "9112 §9.3: HTTP/1.0 closes": {"node": "400 closed"},
    },
    "9112 §5, 9110 §5.1: a field is a token, a colon, a value; passing over others lets them mean something "
    "elsewhere.": {
        "9112 §5: no colon": {"nginx": "200 kept"},
        "9112 §5: no name": {"node": "200 kept"},
        "9112 §5.1: white space before the colon": {"node": "200 kept"},
        "9112 §2.2: white space before the first field": {"node": "200 kept"},
        "9110 §5.1: a name that is no token": {"nginx": "200 kept"},
        "9110 §5.1: a name beyond ASCII": {"nginx": "200 kept"},
    },
    "9110 §5.5: a control character in a value is invalid; keeping it is safe only where the recipient knows the "
    "field.": {
        "9110 §5.5: another control character in a value": {"nginx": "200 kept"},
    },
    "6585 §5: fields too large or too many are 431; leaving some out would change what the request says.": {
        "6585 §5: a value too long": {"nginx": "400 closed"},
        "6585 §5: too many fields": {"nginx": "400 closed", "node": "200 kept"},
    },
    "9110 §15.5.14: content that is too large is 413, told before it is sent. Node has no bound and took the end "
    "as a fault.": {
        "9110 §15.5.14: a body too large": {"node": "400 closed"},
        "9110 §15.5.14: refused before it is sent": {"node": "100 400 closed"},
        "9112 §7.1: the largest size": {"nginx": "400 closed", "node": "400 closed"},
    },
    "9112 §6.1: a coding in HTTP/1.0 makes the framing faulty.": {
        "9112 §6.1: a coding in HTTP/1.0": {"node": "200 closed"},
    },
    "9112 §6.1: a transfer coding that is not understood is 501; content with it must not be taken for plain.": {
        "9112 §6.1: an unknown coding": {"node": "400 closed"},
        "9112 §6.1: an unknown coding before chunked": {"node": "200 kept"},
        "9112 §6.1: gzip": {"node": "200 kept"},
        "9112 §7: chunked in quotes": {"node": "400 closed"},
    },
    "9112 §6.3: without chunked at the end, and once, the length cannot be told: that is 400.": {
        "9112 §6.3: chunked is not the last": {"nginx": "501 closed"},
        "9112 §6.3: identity": {"nginx": "501 closed"},
        "9112 §6.1: chunked twice": {"nginx": "501 closed"},
        "9112 §6.1: a vertical tab before chunked": {"nginx": "501 closed"},
    },
    "9110 §5.6.1.2: empty elements of a list are passed over.": {
        "9110 §5.6.1: an empty element": {"nginx": "501 closed"},
    },
    "9112 §7.1.1: extensions are passed over when they are well formed, also with blanks, and are bounded.": {
        "9112 §7.1.1: extensions": {"node": "400 closed"},
        "9112 §7.1.1: a semicolon alone": {"nginx": "200 kept", "node": "200 kept"},
        "9112 §7.1.1: a bare LF in an extension": {"nginx": "200 200 kept"},
        "9112 §7.1.1: NUL in an extension": {"nginx": "200 kept"},
        "9112 §7.1.1: an extension too long": {"nginx": "200 kept", "node": "200 kept"},
    },
    "9112 §7.1.2, §5: a trailer is a field like any other, or the message is faulty.": {
        "9112 §7.1.2: a trailer that is none": {"nginx": "200 kept"},
        "9112 §7.1.2: white space before a trailer's colon": {"nginx": "200 kept", "node": "200 kept"},
    },
    "9110 §6.5.1: trailers do not frame; a Content-Length among them means nothing.": {
        "9110 §6.5.1: trailers never frame": {"node": "400 closed"},
    },
    "9112 §7.1: a size and a chunk end with CRLF and nothing else; leniency here is how requests are smuggled.": {
        "9112 §7.1: bare LF behind a size": {"nginx": "200 kept"},
        "9112 §7.1: bare LF behind the data": {"nginx": "200 kept"},
        "9112 §7.1: a space behind a size": {"nginx": "200 kept"},
    },
    "9112 §9.6: what follows close is ignored; it does not take back the answer. Nor does a faulty request the "
    "one before.": {
        "9112 §9.6: close": {"node": "400 closed"},
        "9110 §7.6.1: close in a list, in capitals": {"node": "400 closed"},
        "9110 §7.6.1: close in the second of two fields": {"node": "400 closed"},
        "9112 §9.6: answers before a faulty request are given": {"node": "400 closed"},
    },
    "9110 §7.6.1: options are whole words.": {
        "9110 §7.6.1: another option is not close": {"nginx": "200 closed"},
    },
    "9112 §9.3, §C.2.2: HTTP/1.0 stays open when it asks to, and the answer says its length.": {
        "9112 §9.3: HTTP/1.0 may stay": {"node": "200 closed"},
    },
    "9110 §7.8: an upgrade that is not taken up changes nothing about the connection. (Node closes now and then.)": {
        "9110 §7.8: an upgrade is not taken up": {"node": "200 closed"},
    },
    "9110 §10.1.1: 100 is left out when content has come already, and an expectation that is not met is 417. What the "
    "client sends behind that may be the content or not: only a new connection is sure.": {
        "9110 §10.1.1: an expectation whose content is there": {"nginx": "100 200 kept", "node": "100 200 kept"},
        "9110 §10.1.1: an unknown expectation": {"nginx": "200 kept", "node": "417 kept"},
        "9110 §10.1.1: HTTP/1.0 knows none": {"node": "400 closed"},
    },
    "9110 §13: an origin server evaluates preconditions. (Node leaves them to the program; nginx closes after 412.)": {
        "9110 §13.1.2: If-None-Match": {"node": "200 kept"},
        "9110 §13.1.1: If-Match": {"nginx": "412 closed", "node": "200 kept"},
    },
    "9110 §12.5.3: content without a coding is not sent to who refuses it.": {
        "9110 §12.5.3: identity is refused": {"nginx": "200 kept", "node": "200 kept"},
        "9110 §12.5.3: everything is refused": {"nginx": "200 kept", "node": "200 kept"},
    },
}
