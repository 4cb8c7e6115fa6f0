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
account-sessions-text = Lost a device, or forgot to sign out somewhere? This ends all your sessions, in this browser and in all others, and what you let applications do in them. Your servers and the tokens that you made stay.
account-end-sessions = Sign out everywhere
account-tokens = Tokens and authorized applications
account-language-text = This browser keeps your choice.
account-language-auto = As the browser asks

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

## What the hub's code says in English; these must be the very sentences of the code

said-your-organisation = your organisation
said-your-answer = Your answer:
said-form-expired = This form is invalid or has expired. Try again.
said-sign-in-over = This sign-in has ended: it took too long, or another window began a new one. Start again.
said-too-many-sign-in = Too many people are signing in at this moment. Try again in a minute.
said-no-form = Nobody can sign in here with a name and a password.
said-not-automatically = You could not be signed in automatically.
said-offer-nothing = This link opens nothing: it was mistyped, has expired or was withdrawn. Ask for a new one.
said-offer-own = This is your own server; links to share it are for others.
said-offer-incomplete = The link is incomplete: it has no code.
said-hour = 1 Hour
said-day = 1 Day
said-week = 1 Week
said-month = 1 Month
said-year = 1 Year
said-never = Never
said-invalid-login = Invalid username or password
said-pam-broken = Signing in with the system's accounts does not work at the moment. The hub's log says why.
said-no-account = You have no account on this machine. Ask the administrator.
said-scope-no-scope = Learn who you are, nothing more.
said-scope-self = Do what you may do with your own account, servers and tokens.
said-scope-inherit = Do everything that you may do, now and later.
said-scope-admin-ui = Open the administration page.
said-scope-admin-users = Create, rename, change and delete users, and handle the credentials kept from their sign-in.
said-scope-admin-auth-state = See the credentials kept from a user's sign-in.
said-scope-users = Read users, list them and report their activity.
said-scope-delete-users = Delete users.
said-scope-list-users = List users.
said-scope-read-users = Read everything about a user except servers and sign-in credentials.
said-scope-read-users-name = Read a user's name.
said-scope-read-users-groups = Read which groups a user is in.
said-scope-read-users-activity = Read when a user was last active.
said-scope-users-activity = Report that a user is active.
said-scope-read-roles = Read which roles users, services and groups have.
said-scope-read-roles-users = Read which roles a user has.
said-scope-read-roles-services = Read which roles a service has.
said-scope-read-roles-groups = Read which roles a group has.
said-scope-admin-servers = Manage servers in every way, including their internal state.
said-scope-admin-server-state = See the internal state of servers.
said-scope-servers = Start, stop and list servers.
said-scope-read-servers = Read about servers and their progress.
said-scope-start-servers = Create, start and edit servers.
said-scope-delete-servers = Stop and remove servers.
said-scope-access-servers = Use running servers.
said-scope-tokens = Create, list and revoke a user's access tokens.
said-scope-read-tokens = List a user's access tokens.
said-scope-admin-groups = Create, change and delete groups.
said-scope-groups = Read groups and change their members and properties.
said-scope-list-groups = List groups.
said-scope-read-groups = Read a group's members and properties.
said-scope-read-groups-name = Read a group's name.
said-scope-delete-groups = Delete groups.
said-scope-admin-services = Register and remove services.
said-scope-list-services = List services.
said-scope-read-services = Read everything about a service.
said-scope-read-services-name = Read a service's name.
said-scope-access-services = Use services.
said-scope-shares = Share servers with others and end such shares.
said-scope-read-shares = See with whom servers are shared.
said-scope-users-shares = See and leave what is shared with a user.
said-scope-read-users-shares = See what is shared with a user.
said-scope-groups-shares = See and leave what is shared with a group.
said-scope-read-groups-shares = See what is shared with a group.
said-scope-read-hub = Read the hub's version and set-up.
said-scope-proxy = Read and refresh the proxy's routes.
said-scope-shutdown = Stop the hub.
said-scope-read-metrics = Read the hub's metrics.
