# The words of the administration, in English; those of all pages are in pages.ftl.

## Every page

admin-navigation = Administration
admin-version = Orrery { $version }
admin-users = Users
admin-groups = Groups
admin-services = Services
admin-roles = Roles
admin-hub = Hub
admin-search = Search
admin-results = Results
admin-none = none
admin-nothing = None.
admin-name = Name
admin-add = Add
admin-process = Process
admin-address = Address
admin-pager = Pages of the list
admin-shown = Displaying { $first }-{ $last } of { $total }
admin-previous = Previous
admin-next = Next
admin-no-undo = This cannot be undone.
admin-unknown-order = This page does not know what was asked for. Reload it and try again.
admin-type-a-name = Type at least one name.
admin-user-deleted = User { $name }: deleted.
admin-group-deleted = Group { $group }: deleted.

## A server in a list

admin-server = Server
admin-state = State
admin-last-activity = Last activity
admin-started = Started
admin-actions = Actions
admin-spoken-server = server of { $owner }
admin-spoken-server-named = server { $name } of { $owner }
admin-the-server = the { $server }
admin-server-details = details of the { $server }
admin-options = Options
admin-options-of = of { $server }
admin-delete-server = Delete the { $server }?
admin-delete-server-text = Its name, its options and its shares will be gone. Files in the home directory stay.
admin-sentence-server = Server of { $owner }
admin-sentence-server-named = Server { $name } of { $owner }
admin-server-started = { $server }: started.
admin-server-starts = { $server }: starts.
admin-server-stopped = { $server }: stopped.
admin-server-stops = { $server }: stops.
admin-server-deleted = { $server }: deleted.

## Users

admin-user = User
admin-add-users = Add users
admin-search-users = Search users
admin-servers = Servers
admin-any-state = any
admin-on-the-way = starting or stopping
admin-none-running = none running
admin-group = Group
admin-per-page = Per page
admin-admins-only = Admins only
admin-users-hidden = The list of users is not shown: { $reason }
admin-no-match = No user matches.
admin-no-users = There are no users yet.
admin-several = Several users
admin-tick = Tick users, then choose what is done to them.
admin-all-users = All { $count } users
admin-all-matching = All { $count } that match
admin-do-start = Start…
admin-do-stop = Stop…
admin-do-delete = Delete…
admin-do-group = Add to group…
admin-users-caption = Users and their servers
admin-choose = Choose
admin-choose-user = Choose { $name }
admin-choose-page = Choose all users on this page
admin-all-chosen = All are chosen, on other pages too.
admin-chosen = { $count ->
    [one] 1 user chosen.
   *[other] { $count } users chosen.
}
admin-is-admin = (admin)
admin-groups-of = Groups of { $name }
admin-more-groups = and { $count } more
admin-no-server = No server to be seen
admin-back-to-users = Back to users

## New users

admin-user-names = User names
admin-user-names-help = One on each line, or with commas between them.
admin-they-are-admins = They are administrators
admin-too-many-names = No more than { $most } names are taken at once.
admin-added = added
admin-existed = existed already
admin-added-sum = { $added ->
    [one] 1 user added
   *[other] { $added } users added
}{ $existed ->
    [0] {""}
   *[other] , { $existed } existed already
}{ $wrong ->
    [0] {""}
   *[other] , { $wrong } could not be added
}.

## A user

admin-servers-of = Servers of { $name }
admin-servers-hidden = You have no right to see the servers of this user.
admin-about = About { $name }
admin-take-out-of = Take { $name } out of { $group }
admin-add-to-group = Add to a group
admin-change = Change
admin-administrator = Administrator
admin-save = Save
admin-saved = Saved.
admin-delete-user = Delete user
admin-delete-user-ask = Delete the user { $name }?
admin-delete-user-text = All servers and tokens of the user will be gone, too. Files in the home directory stay.
admin-the-user = the user { $name }
admin-not-yourself = You cannot delete yourself; another administrator can.

## Several users at once

admin-bulk-title = { $deed ->
    [start] Start servers
    [stop] Stop servers
    [delete] Delete users
    [message] Send a message
   *[group] Add users to a group
}
admin-plan-title = { $deed ->
    [start] { $count ->
        [one] Start 1 server?
       *[other] Start { $count } servers?
    }
    [stop] { $count ->
        [one] Stop 1 server?
       *[other] Stop { $count } servers?
    }
    [delete] { $count ->
        [one] Delete 1 user?
       *[other] Delete { $count } users?
    }
    [message] { $count ->
        [one] Send a message to 1 user?
       *[other] Send a message to { $count } users?
    }
   *[group] { $count ->
        [one] Add 1 user to the group { $group }?
       *[other] Add { $count } users to the group { $group }?
    }
}
admin-plan-button = { $deed ->
    [start] { $count ->
        [one] Start 1 server
       *[other] Start { $count } servers
    }
    [stop] { $count ->
        [one] Stop 1 server
       *[other] Stop { $count } servers
    }
    [delete] { $count ->
        [one] Delete 1 user
       *[other] Delete { $count } users
    }
    [message] { $count ->
        [one] Send to 1 user
       *[other] Send to { $count } users
    }
   *[group] { $count ->
        [one] Add 1 user
       *[other] Add { $count } users
    }
}
admin-plan-start = { $count ->
    [one] 1 server
   *[other] { $count } servers
} of { $users ->
    [one] 1 user
   *[other] { $users } users
} will start.
admin-plan-stop = { $count ->
    [one] 1 server
   *[other] { $count } servers
} of { $users ->
    [one] 1 user
   *[other] { $users } users
} will stop. What is not saved in them is lost.
admin-plan-delete = Their servers and tokens will be gone, too. Files in home directories stay. This cannot be undone.
admin-plan-running = { $count ->
    [one] 1 server is running already.
   *[other] { $count } servers are running already.
}
admin-plan-stopped = { $count ->
    [one] 1 server is stopped already.
   *[other] { $count } servers are stopped already.
}
admin-plan-forbidden = { $count ->
    [one] 1 is
   *[other] { $count } are
} left alone: you have no right to { $deed ->
    [start] start
    [stop] stop
    [delete] delete
    [message] write to
   *[group] add
} them.
admin-plan-yourself = You are left out: nobody can delete themselves.
admin-plan-first = { $total } users match; these are the first { $users }. Do the others afterwards.
admin-choose-deed = Choose what is to be done.
admin-choose-users = Choose at least one user first.
admin-type-a-group = Type the name of the group first.
admin-no-such-group = There is no group { $group }.
admin-other-order = This is not what the page was made for.
admin-one-by-one = One by one
admin-past = { $deed ->
    [start] started
    [stop] stopped
    [delete] deleted
    [message] sent
   *[group] added
}
admin-under-way = under way…
admin-takes-a-while = under way; it takes a while
admin-progress = { $done } of { $count } done.
admin-progress-failed = { $done } of { $count } done, { $failed } failed.
admin-all-done = All { $count } { $deed ->
    [start] started
    [stop] stopped
    [delete] deleted
    [message] sent
   *[group] added
}.
admin-some-done = { $done } of { $count } { $deed ->
    [start] started
    [stop] stopped
    [delete] deleted
    [message] sent
   *[group] added
}.
admin-some-left = { $done } of { $count } { $deed ->
    [start] started
    [stop] stopped
    [delete] deleted
    [message] sent
   *[group] added
}; { $left } not. The reason stands at each.
admin-some-failed = { $count } failed; the button tries them again.
admin-some-wait = { $count } are still to be done.
admin-try-again = Try the { $count } again
admin-go-on = Go on with { $count }

## Messages to users

admin-messages-bulk = Message…
admin-messages-title = Messages
admin-messages-none = No message waits for { $user }.
admin-messages-label = Message to { $user }
admin-messages-text = Message
admin-messages-help = Plain text, several lines if you like. It stays on the home page until it is put away, or too old.
admin-messages-send = Send
admin-messages-sent = The message was sent.
admin-messages-withdraw = Take back
admin-messages-taken-back = The message was taken back.

## Groups

admin-search-groups = Search groups
admin-member-count = { $count ->
    [one] 1 member
   *[other] { $count } members
}
admin-no-group-matches = No group matches.
admin-no-groups = There are no groups yet.
admin-new-group = New group
admin-create = Create
admin-name-the-group = Type a name for the group.
admin-group-created = Group { $group }: created.
admin-group-title = Group { $group }
admin-roles-are = Roles: { $roles }
admin-members = Members
admin-members-hidden = You have no right to see the members of this group.
admin-search-members = Search members
admin-take-out = Take { $name } out of the group
admin-first-members = The first { $shown } of { $count }.
admin-see-all = See all of them among the users
admin-see-them = See them and their servers among the users
admin-no-member-matches = No member matches.
admin-no-members = Nobody yet.
admin-names-help = Names with commas between them, or one on each line.
admin-no-such-user = there is no such user
admin-users-added = { $count ->
    [one] 1 user added.
   *[other] { $count } users added.
}
admin-some-added = { $count ->
    [one] 1 user
   *[other] { $count } users
} added, { $wrong } not.
admin-group-added = Group { $group }: { $names } added.
admin-group-removed = Group { $group }: { $name } removed.
admin-properties = Properties
admin-new-property = New name
admin-value = Value
admin-value-of = of { $name }
admin-properties-help = Clear a name to remove its property. Save to get another empty line.
admin-save-properties = Save properties
admin-properties-saved = Properties saved.
admin-property-twice = Two properties are called { $name }; nothing was saved.
admin-delete-group = Delete group
admin-delete-group-ask = Delete the group { $group }?
admin-delete-group-text = Its members lose what it gives them.
admin-the-group = the group { $group }
admin-back-to-groups = Back to groups

## A server

admin-server-of = { $server } of { $owner }
admin-last-failure = Last failure
admin-start-so-far = Start so far
admin-facts = Facts
admin-owner = Owner
admin-name-in-addresses = Name in addresses
admin-default-server = none: the default server
admin-route = Route
admin-published = published
admin-not-published = not published
admin-account-number = Account number
admin-not-running = It does not run
admin-will-be-stopped = Will be stopped
admin-kept-until = Kept until
admin-usage = Usage
admin-place-in-line = Place in line
admin-last-event = Last event
admin-starts = Starts
admin-as-json = All of it as JSON
admin-server-as-json = The server as JSON
admin-events = Events
admin-events-hidden = Who did what is for those who may change all users ({ $scope }).
admin-no-events = None are known.
admin-events-caption = Events, newest first
admin-when = When
admin-what = What
admin-why = Why
admin-who = Who
admin-back-to = Back to { $name }

## Services and roles

admin-no-services = There are no services.
admin-rights = Rights
admin-rights-admin = administrator
admin-runs-at = Runs at
admin-times = { $count ->
    [one] 1 time
   *[other] { $count } times
}
admin-command = Command
admin-not-ours = not started by the hub
admin-silent = runs, but does not answer
admin-roles-lead = What people and services may do. Roles are changed in the configuration.
admin-managed-role = Sign-ins define this role.
admin-scopes = { $count ->
    [one] 1 scope
   *[other] { $count } scopes
}
admin-of = of { $name }

## The hub

admin-ending = The hub is shutting down
admin-ending-text = Servers that were to stop are being stopped. Reload this page to see whether the hub is back.
admin-down = The hub is down
admin-down-text = It has not answered since { $time }. This page says when it is back.
admin-back = The hub is back
admin-back-text = It answers again after { $seconds } seconds.
admin-still-up = It still answers, { $seconds ->
    [one] 1 second
   *[other] { $seconds } seconds
} after it was asked: servers that are to stop are being stopped.
admin-continue = Go on
admin-now = Now
admin-version-title = Version
admin-sign-in = Sign-in
admin-spawner = Spawner
admin-database = Database
admin-proxy = Proxy
admin-milliseconds = { $kind }, { $count } ms
admin-proxy-routes = { $kind }, { $count } routes
admin-not-reached = { $kind }, cannot be reached
admin-memory = Memory
admin-memory-of = { $size } MiB in process { $process }
admin-open-files = Open files
admin-files-of = { $count } of { $limit }
admin-not-answering = These parts do not answer: { $parts }
admin-run-or-start = Servers that run or start
admin-starting = Servers that start
admin-count-of = { $count } of { $limit }
admin-no-limit = { $count }, no limit
admin-in-line = In line
admin-failed = Failed
admin-pending = Under way
admin-announcement = Announcement
admin-by = By { $name }.
admin-withdraw = Take it away
admin-withdraw-what = the announcement
admin-nothing-announced = Nothing is announced.
admin-another-message = Another message
admin-message = Message on all pages
admin-ends-after = Ends after so many hours
admin-announce = Announce
admin-announced = The announcement is on all pages.
admin-withdrawn = The announcement is taken away.
admin-maintenance = Maintenance
admin-open = Start servers again
admin-open-when = now
admin-maintenance-text = No servers are started any more; those that run go on.
admin-maintenance-message = Message (there is a usual one)
admin-begins-in = Begins in so many minutes
admin-ends-later = Ends so many hours later
admin-maintain = Begin maintenance
admin-maintained = No servers are started during maintenance; those that run go on.
admin-opened = Servers are started again.
admin-odd-times = Times are numbers that are not negative.
admin-configuration = Configuration
admin-in-force = In force now
admin-would-be = Would come into force
admin-needs-restart = Needs a new start of the hub
admin-no-changes = No key has another value than the hub goes by. Templates and logo are read anew by a reload.
admin-read-from = Read from { $files }
admin-look-first = See first what has changed in the files since the hub read them.
admin-look = Look for changes
admin-look-where = of the configuration
admin-reload = Reload
admin-reload-what = the configuration
admin-reloaded = The configuration was read again.
admin-reload-wrong = The configuration is wrong; nothing was changed: { $problems }
admin-shutdown = Shut down
admin-shutdown-text = Nobody can sign in or start servers until the hub is started again.
admin-shutdown-servers = Stop all users' servers too
admin-shutdown-proxy = Stop the proxy too
admin-shutdown-word = Type { $word } to confirm
admin-shutdown-no = Type { $word } to end the hub. Nothing was done.
admin-shutting-down = The hub is shutting down.
admin-journal = Who did what
admin-no-journal = Nothing is written down yet.
admin-journal-caption = The journal, newest first
admin-to-what = To what
admin-more = More
admin-older = Older records
