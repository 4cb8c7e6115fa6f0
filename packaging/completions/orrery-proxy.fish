complete -c orrery-proxy -l ip -d 'Public address; empty or `*` is all' -r
complete -c orrery-proxy -l port -d 'Public port [default: 8000]' -r
complete -c orrery-proxy -l socket -d 'Public UNIX socket, instead of address and port' -r -F
complete -c orrery-proxy -l api-ip -d 'Address of the REST API [default: localhost]' -r
complete -c orrery-proxy -l api-port -d 'Port of the REST API [default: the public port + 1; 8001 with --socket]' -r
complete -c orrery-proxy -l api-socket -d 'UNIX socket of the REST API, instead of address and port' -r -F
complete -c orrery-proxy -l metrics-ip -d 'Address of the metrics; empty is all' -r
complete -c orrery-proxy -l metrics-port -d 'Port of the metrics, at /metrics [default: no metrics]' -r
complete -c orrery-proxy -l metrics-socket -d 'UNIX socket of the metrics, instead of address and port' -r -F
complete -c orrery-proxy -l redirect-port -d 'Plain HTTP port that redirects to HTTPS' -r
complete -c orrery-proxy -l redirect-to -d 'Port that --redirect-port redirects to [default: the public port]' -r
complete -c orrery-proxy -l ssl-key -d 'Private key (PEM)' -r -F
complete -c orrery-proxy -l ssl-cert -d 'Certificate and its chain (PEM)' -r -F
complete -c orrery-proxy -l ssl-ca -d 'Authorities that vouch for clients (PEM)' -r -F
complete -c orrery-proxy -l ssl-protocol -d 'Oldest TLS version: TLSv1_2 or TLSv1_3 [default: TLSv1_2]' -r
complete -c orrery-proxy -l ssl-ciphers -d 'Ciphers by their names in OpenSSL or IANA, separated by `:`' -r
complete -c orrery-proxy -l ssl-dhparam -d 'Ignored: key exchange is by elliptic curves' -r -F
complete -c orrery-proxy -l acme-domain -d 'Host name to order a certificate for, accepting the authority\'s terms; may be repeated' -r
complete -c orrery-proxy -l acme-contact -d 'Mail address for the authority\'s warnings; may be repeated' -r
complete -c orrery-proxy -l acme-cache -d 'Directory for account and certificate' -r -F
complete -c orrery-proxy -l acme-challenge -d 'Way to prove that names are ours: tls-alpn-01 (port 443) or http-01 (--redirect-port 80); may be repeated [default: those that the ports allow]' -r
complete -c orrery-proxy -l acme-directory -d 'The authority [default: Let\'s Encrypt]' -r
complete -c orrery-proxy -l acme-ca -d 'Authorities to trust when talking to --acme-directory (PEM)' -r -F
complete -c orrery-proxy -l acme-eab-id -d 'Id of an account at the authority to bind ours to; its key is in ORRERY_PROXY_ACME_EAB_KEY' -r
complete -c orrery-proxy -l api-ssl-key -d 'Private key (PEM)' -r -F
complete -c orrery-proxy -l api-ssl-cert -d 'Certificate and its chain (PEM)' -r -F
complete -c orrery-proxy -l api-ssl-ca -d 'Authorities that vouch for clients (PEM)' -r -F
complete -c orrery-proxy -l client-ssl-key -d 'Private key to show to targets (PEM)' -r -F
complete -c orrery-proxy -l client-ssl-cert -d 'Certificate to show to targets (PEM)' -r -F
complete -c orrery-proxy -l client-ssl-ca -d 'Authorities to trust instead of the system\'s (PEM)' -r -F
complete -c orrery-proxy -l default-target -d 'Where requests go that no other route is for' -r
complete -c orrery-proxy -l error-target -d 'Server of error pages: asked for URL/CODE?url=ADDRESS, where the client asked for ADDRESS' -r
complete -c orrery-proxy -l error-path -d 'Directory of error pages: CODE.html, else error.html' -r -F
complete -c orrery-proxy -l trusted-proxies -d 'Addresses or networks of reverse proxies in front: what anybody else says of the client, in X-Forwarded-*, X-Real-IP, X-Scheme, Forwarded and Remote-User, is not passed on [default: everybody is believed, as by configurable-http-proxy]' -r
complete -c orrery-proxy -l protocol-rewrite -d 'Put this scheme into the Location of redirections' -r
complete -c orrery-proxy -l custom-header -d 'Field to set in requests; may be repeated' -r
complete -c orrery-proxy -l timeout -d 'Milliseconds of silence after which a client\'s connection is dropped [default: never]' -r
complete -c orrery-proxy -l proxy-timeout -d 'Milliseconds a target may take to answer [default: for ever]' -r
complete -c orrery-proxy -l keep-alive-timeout -d 'Milliseconds an idle client connection is kept [default: 5000]' -r
complete -c orrery-proxy -l header-timeout -d 'Milliseconds a client may take to send the head of a request [default: 30000]' -r
complete -c orrery-proxy -l body-timeout -d 'Milliseconds without progress after which a request body is given up [default: 120000]' -r
complete -c orrery-proxy -l connect-timeout -d 'Milliseconds that connecting to a target may take [default: 5000]' -r
complete -c orrery-proxy -l workers -d 'Worker threads [default: one per processor]' -r
complete -c orrery-proxy -l max-connections -d 'Client connections at a time; 0: what the limit of open files allows' -r
complete -c orrery-proxy -l max-connections-per-address -d 'Client connections of one address; 0: nine tenths of --max-connections' -r
complete -c orrery-proxy -l max-requests-per-route -d 'Requests under way to one route; 0: no limit' -r
complete -c orrery-proxy -l drain-timeout -d 'Milliseconds to finish requests when told to end [default: 10000]' -r
complete -c orrery-proxy -l hand-over -d 'Have the orrery-proxy with this process id replaced by a new process of its program, wait until that serves, and end' -r
complete -c orrery-proxy -l successor-timeout -d 'Milliseconds that a new process may take to be ready [default: 30000]' -r
complete -c orrery-proxy -l hand-over-timeout -d 'Milliseconds that a replaced process keeps connections; 0: until they end' -r
complete -c orrery-proxy -l pid-file -d 'File to write the process id to' -r -F
complete -c orrery-proxy -l access-log -d 'File to log requests to, without their queries; `-` is the standard output' -r -F
complete -c orrery-proxy -l log-level -d 'What is logged: debug, info, warn or error' -r
complete -c orrery-proxy -l storage-backend -d 'Ignored: routes are kept in memory' -r
complete -c orrery-proxy -s V -l version -d 'Print the version, beginning with that of configurable-http-proxy'
complete -c orrery-proxy -l ssl-request-cert -d 'Ask clients for a certificate'
complete -c orrery-proxy -l ssl-reject-unauthorized -d 'Refuse clients without a good certificate, if they are asked for one'
complete -c orrery-proxy -l ssl-allow-rc4 -d 'Ignored: RC4 is broken'
complete -c orrery-proxy -l no-http2 -d 'Offer HTTP/1.1 only'
complete -c orrery-proxy -l acme-staging -d 'Try it with the staging authority of Let\'s Encrypt, which no browser trusts'
complete -c orrery-proxy -l api-ssl-request-cert -d 'Ask clients for a certificate'
complete -c orrery-proxy -l api-ssl-reject-unauthorized -d 'Refuse clients without a good certificate, if they are asked for one'
complete -c orrery-proxy -l client-ssl-request-cert -d 'Accepted and without effect: a client asks for no certificates'
complete -c orrery-proxy -l client-ssl-reject-unauthorized -d 'Accepted and without effect: targets are checked unless --insecure is given'
complete -c orrery-proxy -l insecure -d 'Take any certificate of a target'
complete -c orrery-proxy -l host-routing -d 'Find routes by host as well: /HOST/PATH'
complete -c orrery-proxy -l no-x-forward -d 'Don\'t add X-Forwarded-* fields to requests'
complete -c orrery-proxy -l no-prepend-path -d 'Don\'t put the path of a target before that of a request'
complete -c orrery-proxy -l no-include-prefix -d 'Cut the path prefix of a route off requests'
complete -c orrery-proxy -l auto-rewrite -d 'Put the client\'s host into the Location of redirections'
complete -c orrery-proxy -l change-origin -d 'Send the target\'s host as Host'
complete -c orrery-proxy -s h -l help -d 'Print help'
