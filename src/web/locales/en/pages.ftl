# The words of pages and scripts, in English: complete, the last resort of every other language. Clients and browser tests
# look for some of them (pages.md 11), so they stay as they are. docs/pages.md tells how to change a sentence.

language-name = English

## Every page

page-skip = Skip to the main content
page-navigation = Main
page-logo = Home
page-menu = Menu
page-home = Home
page-token = Token
page-admin = Admin
page-services = Services
page-account = Account
page-login = Login
page-logout = Logout
page-announcement = Announcement
page-announcement-hide = Hide
page-announcement-hide-label = Hide this announcement
page-error-title = That did not work
page-close = Close
colours = Colours
colours-auto = Colours: automatic
colours-light = Colours: light
colours-dark = Colours: dark
language-choice = Language
notice-maintenance = Maintenance
notice-announcement = Announcement
notice-begins = Begins { $time }.
notice-ends = Ends { $time }.
message-close = Close this message
time-never = Never
time-just-now = just now
ask-cancel = Cancel
api-failed = API request failed ({ $status }): { $message }
api-answered = The hub answered { $status }.
api-unreachable = The hub cannot be reached. Check your connection and try again.

## Signed out meanwhile (live.js)

connection-lost = The hub cannot be reached. What you see may be out of date; trying again…
signed-out-title = You are signed out
signed-out-text = Your session has ended, here or in another tab. Sign in again to go on where you were; nothing was changed meanwhile.
signed-out-again = Sign in
other-account-title = Another account is signed in
other-account-text = You opened this page as { $before }. Since then { $now } has signed in in this browser, so nothing was done.
other-account-go-on = Go on as { $name }
other-account-sign-out = Sign out

## Sign-in and sign-out

login-title = Sign in
login-button = Sign in
login-as = Signing in as { $user }.
login-continue = Continue
login-cancel = Cancel
login-with = Sign in with { $service }
login-insecure = This connection is not encrypted: others on the network can read the password that you type here. Ask the administrator for an address that starts with https.
login-username = Username:
login-password = Password:
login-show = Show
login-show-label = Show the password
login-terms = I accept the { $link }.
login-terms-link = terms of use
logout-title = Signed out
logout-text = You have signed out.
logout-again = Sign in again

## Account

account-title = Account
account-kind = Kind
account-admin = Administrator
account-user = User
account-since = Known since
account-groups = Groups
account-no-groups = You are in no group.
account-roles = Roles
account-roles-text = They say what you may do here. Ask an administrator if something is missing.
account-role-undescribed = No description
account-sessions = Sessions
account-sessions-text = The browsers in which you are signed in, as this hub has seen them. If you do not know one of them, end its session and change your password.
account-sessions-ending = Ending a session signs that browser out at once and takes back what you let applications do in it; servers that are open there notice within five minutes. Your servers go on running, and the tokens that you made stay.
account-ended-one = The session is ended.
account-ended-others = All other browsers are signed out.
account-end-others = Sign out all other browsers
account-end-sessions = Sign out everywhere
account-tokens = Tokens and authorized applications
account-language-text = This browser keeps your choice.
account-language-auto = As the browser asks

## Sessions, on the account page and in the administration

session-column-browser = Browser
session-column-address = Network address
session-column-since = Signed in
session-column-seen = Last seen
session-column-actions = Actions
session-browser-on = { $browser } on { $system }
session-unknown-on = Unknown browser on { $system }
session-unknown = Unknown browser
session-foreign = Browsers that JupyterHub signed in
session-current = This browser
session-end = End session
session-end-of = from { $address }
session-end-current = Sign out
session-none = This user is not signed in in any browser.

## Tokens

token-title = Tokens
token-lead = A token lets a program act for you. Whoever has it can do what it permits: keep it like a password.
token-new = New API token
token-note = Note
token-note-help = What the token is for, so that you recognise it in the list.
token-note-default = Requested on the token page
token-expires-in = Token expires in
token-limit = Max ({ $unit ->
    [days] { $count ->
        [one] 1 day
       *[other] { $count } days
    }
    [hours] { $count ->
        [one] 1 hour
       *[other] { $count } hours
    }
   *[seconds] { $count } seconds
})
token-choose = Choose what it permits; else it permits all that you may do
token-permits = What the token permits
token-permissions = Permissions
token-permissions-help = Or names of scopes with spaces or commas between them, such as { $example }.
token-request = Request new API token
token-made = Your new API Token
token-once = Copy it now: it is not shown again.
token-copy = Copy
token-copied = Copied.
token-selected = Selected; press Ctrl+C to copy.
token-list = API Tokens
token-find = Find a token
token-which = Which tokens
token-which-all = All ({ $count })
token-which-expiring = Expire within a week ({ $count })
token-which-unused = Not used for three months ({ $count })
token-which-none = There are none of these.
token-column-note = Note
token-column-permissions = Permissions
token-column-used = Last used
token-column-created = Created
token-column-expires = Expires
token-column-actions = Actions
token-column-application = Application
token-column-authorized = First authorized
token-scopes = Scopes
token-scopes-of = of { $name }
token-revoke = Revoke
token-revoke-title = Revoke { $name }?
token-revoke-server = A server of yours uses this token. Without it the server cannot tell the hub that it is in use, nor let you in anew, until it is restarted.
token-revoke-application = All tokens of this application end at once. It can ask you again.
token-revoke-other = Programs that use this token stop working at once. This cannot be undone.
token-revoked = { $name } is revoked.
token-applications = Authorized Applications
token-applications-text = Servers and services that know who you are because you let them. Revoking one ends its access at once, with all the tokens that it has; it may ask again.

## Consent

consent-title = Authorize access
consent-asks = { $application } (oauth URL: { $address }) wants to use your { $hub } account { $user }.
consent-scopes = It will be able to
consent-applies = Applies to { $filter }.
consent-identity = It only learns who you are; it cannot do anything on your behalf.
consent-authorize = Authorize
consent-refuse = Don't authorize
filter-own-user = your own account
filter-own-server = this server
filter-own-service = this service
filter-user = the user { $name }
filter-group = the group { $name }
filter-server = the server { $name }
filter-service = the service { $name }

## An offer to use somebody's server

offer-title = Shared server
offer-heading = { $owner } shares a server with you
offer-text = You ({ $user }) have been invited to use { $owner }'s server at { $address }.
offer-text-named = You ({ $user }) have been invited to use { $owner }'s server { $server } at { $address }.
offer-stopped = The server is not running now. You can accept all the same, and open it when { $owner } has started it.
offer-scopes = You will be able to
offer-scope = { $scope } (applies to { $filter })
offer-next = After accepting you are taken to { $link }.
offer-accept = Accept invitation
offer-decline = Decline

## Home

home-heading = My servers
home-another = Another server
home-another-help = Besides your default server you may have more servers, each with a name of its own.
home-another-limit = Besides your default server you may have up to { $limit } more servers, each with a name of its own.
home-name = Server name
home-add = Add New Server
home-name-help = Letters, numbers and signs, as you like. The address is made of it.
home-name-empty = Type a name for the server first.
home-name-taken = You already have a server with the address name { $name }. Choose another name.
home-slug = Its name in addresses will be { $name }.
home-now = { $name }: { $state }
home-copied = The address is copied.
home-address-is = The address is { $address }
home-queued = { $server } will start as soon as it has stopped.
home-rename-title = Rename { $server }
home-rename-text = Only the name that you see changes; its address stays.
home-rename-label = New name
home-rename-empty = Type a name first.
home-delete-title = Delete { $server }?
home-delete-text = Its name, its options and its shares will be gone. Files in your home directory stay.
home-back = Back to home
home-message = New message: { $text }
messages-title = Messages for you
messages-from = From { $by }, { $time }
messages-from-service = From the service { $by }, { $time }
messages-dismiss = Put away
servers-used = { $count } of { $limit } named servers used
servers-find = Find a server
servers-invalid = These names no longer follow the rules for server names: { $names }. The servers can still be used; delete them and add others to get valid names.
shared-title = Shared with me
shared-default = Server of { $owner }
shared-which = { $name } of { $owner }
shared-which-default = server of { $owner }
shared-leave = Leave

## A server

state-stopped = stopped
state-starting = starting
state-running = running
state-stopping = stopping
state-failed = failed
server-default-name = My server
server-started = Started { $time }
server-used = Last used { $time }
server-unused = Never used
option-profile = Profile
option-yes = yes
option-no = no
server-address = Address name { $name }
server-uses = Uses { $usage }
server-cancel-which = the start of { $server }
server-which = of { $server }
server-stop = Stop
server-stop-default = Stop My Server
server-open = Open
server-open-default = My Server
server-progress = Progress
server-retry = Retry
server-start = Start
server-start-default = Start My Server
server-restart = Restart
server-copy = Copy address
server-rename = Rename
server-delete = Delete
server-options = Start with other options
server-share = Share
server-memory = { $warning }. Unsaved results of that kernel are lost; restart it, and use less memory at once.
server-cull = This server will be stopped at { $time } unless it is used. Save your work.
server-keep = Keep running{ $server } for { $time }
server-yours = Your server
server-yours-named = Your server { $server }
server-of = The server of { $owner }
server-of-named = The server of { $owner } { $server }
failure-silent = The server ended without giving a reason.
failure-at = Failed { $time }
failure-log = Last lines of its log
failure-log-label = Last lines of the log
retry-in = { $action } in { $seconds } s
failed-title = Spawn failed
try-again = Try again

## A server that starts, stops or does not run

pending-title = Starting
pending-heading = { $server } is starting up
pending-promise = You will be taken to it as soon as it is ready.
pending-bar = Progress of the start
pending-steps = Steps of the start
pending-stop = Stop server
pending-reload = Reload this page
pending-log = Event log
progress-interrupted = The connection was interrupted. Reconnecting…
progress-stopping = Stopping the server…
progress-stopped = The server is stopped. Going back to your home page.
progress-failed-after = after { $time }
span-seconds = { $seconds } s
span-minutes = { $minutes } min { $seconds } s
stopping-title = Stopping
stopping-heading = { $server } is stopping
stopping-text = You can start it again once it has stopped. This page notices when it has.
stopping-start = Start when stopped
stopping-look = Look again now
stopping-away = The hub cannot be reached; trying again…
stopping-since = For { $seconds } seconds now.
stopping-then = It will start as soon as it has stopped.
not-running-title = Server not running
not-running-text = { $server } is not running.
not-running-failed = { $server } could not be started.
not-running-owner = Only its owner can start it.
not-running-launch = Launch Server
not-running-relaunch = Relaunch Server
not-running-soon = It will be started in { $seconds } s.
not-running-wait = Don't start it
not-running-never = It will not be started by itself.

## Before a start

spawn-title = Server options
spawn-heading = Server Options
spawn-for = Spawning server for { $user }
spawn-name = Server name: { $name }
spawn-error = Error: { $message }
spawn-start = Start
spawn-sending = Sending { $count ->
    [one] { $name }
   *[other] { $count } files
}, { $size } MB…
spawn-share = Share of the files that was sent
spawn-sent = Everything has arrived; starting…
spawn-not-sent = The files could not be sent: the connection broke, or they are larger than this hub takes. Try again.
profiles-question = What do you want to start?
profiles-unit = in { $unit }
profiles-range = From { $min } to { $max }.

## Before a restart

restart-title = Restart a server
restart-yours = Restart your server?
restart-yours-named = Restart your server { $server }?
restart-of = Restart the server of { $owner }?
restart-of-named = Restart the server of { $owner } { $server }?
restart-text = What runs in it ends, and what is not saved is lost. It starts again as it was started the last time.
restart-stopped = It does not run at present.
restart-do = Restart it
restart-start = Start it

## Sharing

sharing-title = Sharing
sharing-lead = Whom you let into a server sees and changes everything in it, and can run what you can run.
sharing-link = Make a link
sharing-link-help = Whoever has the link and can sign in here may accept it.
sharing-expiry = Can be accepted for
sharing-new = The new link
sharing-person = Share with a person or a group
sharing-a-person = a person
sharing-a-group = a group
sharing-name = Name
sharing-mine = Shared by me
sharing-with = With
sharing-server = Server
sharing-may = They may
sharing-since = Since
sharing-until = Until
sharing-until-revoked = You revoke it
sharing-whom-user = { $name }
sharing-whom-group = Group { $name }
sharing-whom-link = Whoever has link { $name }
sharing-accepted = { $count ->
    [one] Accepted 1 time
   *[other] Accepted { $count } times
}
sharing-not-accepted = Not accepted yet
sharing-links-text = Who has accepted a link is listed by name and keeps access when the link is revoked.
sharing-none = None of your servers is open to anybody else.

## Errors

error-home = Go to the home page
error-not-found = Page not found
error-nothing-here = There is no page at this address, or you may not see it.
error-retry = You can try again in { $seconds } seconds.
error-restart = Restart it
error-forbidden = You may not do this here. If you need it, ask an administrator.
error-rights = Which rights are missing
