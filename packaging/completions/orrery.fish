# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_orrery_global_optspecs
    string join \n c/config= set= log-level= debug database= no-db base-url= url= ip= port= pid-file= y/yes upgrade-db h/help V/version
end

function __fish_orrery_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_orrery_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_orrery_using_subcommand
    set -l cmd (__fish_orrery_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c orrery -n "__fish_orrery_needs_command" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_needs_command" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_needs_command" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_needs_command" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_needs_command" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_needs_command" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_needs_command" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_needs_command" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_needs_command" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_needs_command" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_needs_command" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_needs_command" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_needs_command" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_needs_command" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_needs_command" -s V -l version -d 'Print version'
complete -c orrery -n "__fish_orrery_needs_command" -f -a "config" -d 'The configuration'
complete -c orrery -n "__fish_orrery_needs_command" -f -a "db" -d 'The database'
complete -c orrery -n "__fish_orrery_needs_command" -f -a "user-env" -d 'The Python environment that users\' servers run from'
complete -c orrery -n "__fish_orrery_needs_command" -f -a "token" -d 'Make an API token for a user and print it'
complete -c orrery -n "__fish_orrery_needs_command" -f -a "rotate-secret" -d 'Make a new key for cookies; those of the last one stay good, unless --keep 0 ends everybody\'s sign-in'
complete -c orrery -n "__fish_orrery_needs_command" -f -a "status" -d 'Show what the running hub does'
complete -c orrery -n "__fish_orrery_needs_command" -f -a "servers" -d 'List what runs, starts or stops; of one user, all servers'
complete -c orrery -n "__fish_orrery_needs_command" -f -a "explain" -d 'Tell what a server does, what it went through and who asked for it'
complete -c orrery -n "__fish_orrery_needs_command" -f -a "doctor" -d 'Look at configuration, ports, files, database, programs and machine; status 1 if something is wrong'
complete -c orrery -n "__fish_orrery_needs_command" -f -a "reload" -d 'Let the running hub read its configuration again'
complete -c orrery -n "__fish_orrery_needs_command" -f -a "drain" -d 'Start no more servers; those that run go on'
complete -c orrery -n "__fish_orrery_needs_command" -f -a "announce" -d 'Show a message on all pages'
complete -c orrery -n "__fish_orrery_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -f -a "show" -d 'Print the configuration that results from all sources, without secrets'
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -f -a "check" -d 'Tell what is wrong with the configuration'
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -f -a "init" -d 'Write a file to start from'
complete -c orrery -n "__fish_orrery_using_subcommand config; and not __fish_seen_subcommand_from show check init help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from show" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from show" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from show" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from show" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from show" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from show" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from show" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from show" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from show" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from show" -l json -d 'As JSON'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from show" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from show" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from show" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from show" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from check" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from check" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from check" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from check" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from check" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from check" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from check" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from check" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from check" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from check" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from check" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from check" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from check" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from init" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from init" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from init" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from init" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from init" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from init" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from init" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from init" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from init" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from init" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from init" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from init" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from init" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from init" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "show" -d 'Print the configuration that results from all sources, without secrets'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "check" -d 'Tell what is wrong with the configuration'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "init" -d 'Write a file to start from'
complete -c orrery -n "__fish_orrery_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -f -a "migrate" -d 'Upgrade the database\'s schema'
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -f -a "backup" -d 'Copy a SQLite database, beside it; a hub may be running'
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -f -a "restore" -d 'Put a copy in the place of a SQLite database, and keep what was there; the hub must not be running'
complete -c orrery -n "__fish_orrery_using_subcommand db; and not __fish_seen_subcommand_from migrate backup restore help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from migrate" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from migrate" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from migrate" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from migrate" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from migrate" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from migrate" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from migrate" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from migrate" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from migrate" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from migrate" -l check -d 'Only tell whether that is needed'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from migrate" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from migrate" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from migrate" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from migrate" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from migrate" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from backup" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from backup" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from backup" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from backup" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from backup" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from backup" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from backup" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from backup" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from backup" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from backup" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from backup" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from backup" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from backup" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from backup" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from restore" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from restore" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from restore" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from restore" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from restore" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from restore" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from restore" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from restore" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from restore" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from restore" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from restore" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from restore" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from restore" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from restore" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from help" -f -a "migrate" -d 'Upgrade the database\'s schema'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from help" -f -a "backup" -d 'Copy a SQLite database, beside it; a hub may be running'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from help" -f -a "restore" -d 'Put a copy in the place of a SQLite database, and keep what was there; the hub must not be running'
complete -c orrery -n "__fish_orrery_using_subcommand db; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and not __fish_seen_subcommand_from create help" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and not __fish_seen_subcommand_from create help" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and not __fish_seen_subcommand_from create help" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and not __fish_seen_subcommand_from create help" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and not __fish_seen_subcommand_from create help" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and not __fish_seen_subcommand_from create help" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and not __fish_seen_subcommand_from create help" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and not __fish_seen_subcommand_from create help" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and not __fish_seen_subcommand_from create help" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and not __fish_seen_subcommand_from create help" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and not __fish_seen_subcommand_from create help" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and not __fish_seen_subcommand_from create help" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and not __fish_seen_subcommand_from create help" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and not __fish_seen_subcommand_from create help" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and not __fish_seen_subcommand_from create help" -f -a "create" -d 'Build it, or build it anew and switch to the new one; as root'
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and not __fish_seen_subcommand_from create help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -l path -d 'Where it is to be' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -l requirements -d 'File of requirements for pip [default: jupyterhub of the version whose contract this is, jupyterlab]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -l python -d 'The Python that it is made from' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from help" -f -a "create" -d 'Build it, or build it anew and switch to the new one; as root'
complete -c orrery -n "__fish_orrery_using_subcommand user-env; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c orrery -n "__fish_orrery_using_subcommand token" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand token" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand token" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand token" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand token" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand token" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand token" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand token" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand token" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand token" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand token" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand token" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand token" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand token" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -l keep -d 'How many of the old keys go on to be good for cookies that they have signed' -r
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -l socket -d 'The hub\'s admin socket [default: that of the configuration]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -l json -d 'As JSON'
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand rotate-secret" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand status" -l socket -d 'The hub\'s admin socket [default: that of the configuration]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand status" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand status" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand status" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand status" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand status" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand status" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand status" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand status" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand status" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand status" -l json -d 'As JSON'
complete -c orrery -n "__fish_orrery_using_subcommand status" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand status" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand status" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand status" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand status" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand servers" -l socket -d 'The hub\'s admin socket [default: that of the configuration]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand servers" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand servers" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand servers" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand servers" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand servers" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand servers" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand servers" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand servers" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand servers" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand servers" -l json -d 'As JSON'
complete -c orrery -n "__fish_orrery_using_subcommand servers" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand servers" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand servers" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand servers" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand servers" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand explain" -l socket -d 'The hub\'s admin socket [default: that of the configuration]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand explain" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand explain" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand explain" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand explain" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand explain" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand explain" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand explain" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand explain" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand explain" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand explain" -l json -d 'As JSON'
complete -c orrery -n "__fish_orrery_using_subcommand explain" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand explain" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand explain" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand explain" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand explain" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand doctor" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand doctor" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand doctor" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand doctor" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand doctor" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand doctor" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand doctor" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand doctor" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand doctor" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand doctor" -l json -d 'As JSON'
complete -c orrery -n "__fish_orrery_using_subcommand doctor" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand doctor" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand doctor" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand doctor" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand reload" -l socket -d 'The hub\'s admin socket [default: that of the configuration]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand reload" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand reload" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand reload" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand reload" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand reload" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand reload" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand reload" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand reload" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand reload" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand reload" -l dry-run -d 'Only tell what would change'
complete -c orrery -n "__fish_orrery_using_subcommand reload" -l json -d 'As JSON'
complete -c orrery -n "__fish_orrery_using_subcommand reload" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand reload" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand reload" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand reload" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand reload" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand drain" -l in -d 'Begin later, for example in 30m' -r
complete -c orrery -n "__fish_orrery_using_subcommand drain" -l for -d 'End by itself after this long, for example 2h' -r
complete -c orrery -n "__fish_orrery_using_subcommand drain" -l socket -d 'The hub\'s admin socket [default: that of the configuration]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand drain" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand drain" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand drain" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand drain" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand drain" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand drain" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand drain" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand drain" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand drain" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand drain" -l end -d 'End it now'
complete -c orrery -n "__fish_orrery_using_subcommand drain" -l json -d 'As JSON'
complete -c orrery -n "__fish_orrery_using_subcommand drain" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand drain" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand drain" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand drain" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand drain" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand announce" -l in -d 'Begin later, for example in 30m' -r
complete -c orrery -n "__fish_orrery_using_subcommand announce" -l for -d 'End by itself after this long, for example 2h' -r
complete -c orrery -n "__fish_orrery_using_subcommand announce" -l socket -d 'The hub\'s admin socket [default: that of the configuration]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand announce" -s c -s f -l config -d 'Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]' -r -F
complete -c orrery -n "__fish_orrery_using_subcommand announce" -l set -d 'Set a key of the configuration; other users can see it, so no secrets' -r
complete -c orrery -n "__fish_orrery_using_subcommand announce" -l log-level -d 'How much is logged: debug, info, warn or error' -r
complete -c orrery -n "__fish_orrery_using_subcommand announce" -l database -l db -d 'Database: sqlite:///file, a file name, or a PostgreSQL URL without a password' -r
complete -c orrery -n "__fish_orrery_using_subcommand announce" -l base-url -d 'URL prefix under which everything lives' -r
complete -c orrery -n "__fish_orrery_using_subcommand announce" -l url -d 'Public address, such as http://127.0.0.1:8000' -r
complete -c orrery -n "__fish_orrery_using_subcommand announce" -l ip -d 'Public address without port' -r
complete -c orrery -n "__fish_orrery_using_subcommand announce" -l port -d 'Public port' -r
complete -c orrery -n "__fish_orrery_using_subcommand announce" -l pid-file -d 'File for the process id' -r
complete -c orrery -n "__fish_orrery_using_subcommand announce" -l end -d 'End it now'
complete -c orrery -n "__fish_orrery_using_subcommand announce" -l json -d 'As JSON'
complete -c orrery -n "__fish_orrery_using_subcommand announce" -l debug -d 'Log everything'
complete -c orrery -n "__fish_orrery_using_subcommand announce" -l no-db -d 'Keep the database in memory; everything is forgotten at the end'
complete -c orrery -n "__fish_orrery_using_subcommand announce" -s y -l yes -d 'Answer yes to every question'
complete -c orrery -n "__fish_orrery_using_subcommand announce" -l upgrade-db -d 'Upgrade the database\'s schema at the start'
complete -c orrery -n "__fish_orrery_using_subcommand announce" -s h -l help -d 'Print help'
complete -c orrery -n "__fish_orrery_using_subcommand help; and not __fish_seen_subcommand_from config db user-env token rotate-secret status servers explain doctor reload drain announce help" -f -a "config" -d 'The configuration'
complete -c orrery -n "__fish_orrery_using_subcommand help; and not __fish_seen_subcommand_from config db user-env token rotate-secret status servers explain doctor reload drain announce help" -f -a "db" -d 'The database'
complete -c orrery -n "__fish_orrery_using_subcommand help; and not __fish_seen_subcommand_from config db user-env token rotate-secret status servers explain doctor reload drain announce help" -f -a "user-env" -d 'The Python environment that users\' servers run from'
complete -c orrery -n "__fish_orrery_using_subcommand help; and not __fish_seen_subcommand_from config db user-env token rotate-secret status servers explain doctor reload drain announce help" -f -a "token" -d 'Make an API token for a user and print it'
complete -c orrery -n "__fish_orrery_using_subcommand help; and not __fish_seen_subcommand_from config db user-env token rotate-secret status servers explain doctor reload drain announce help" -f -a "rotate-secret" -d 'Make a new key for cookies; those of the last one stay good, unless --keep 0 ends everybody\'s sign-in'
complete -c orrery -n "__fish_orrery_using_subcommand help; and not __fish_seen_subcommand_from config db user-env token rotate-secret status servers explain doctor reload drain announce help" -f -a "status" -d 'Show what the running hub does'
complete -c orrery -n "__fish_orrery_using_subcommand help; and not __fish_seen_subcommand_from config db user-env token rotate-secret status servers explain doctor reload drain announce help" -f -a "servers" -d 'List what runs, starts or stops; of one user, all servers'
complete -c orrery -n "__fish_orrery_using_subcommand help; and not __fish_seen_subcommand_from config db user-env token rotate-secret status servers explain doctor reload drain announce help" -f -a "explain" -d 'Tell what a server does, what it went through and who asked for it'
complete -c orrery -n "__fish_orrery_using_subcommand help; and not __fish_seen_subcommand_from config db user-env token rotate-secret status servers explain doctor reload drain announce help" -f -a "doctor" -d 'Look at configuration, ports, files, database, programs and machine; status 1 if something is wrong'
complete -c orrery -n "__fish_orrery_using_subcommand help; and not __fish_seen_subcommand_from config db user-env token rotate-secret status servers explain doctor reload drain announce help" -f -a "reload" -d 'Let the running hub read its configuration again'
complete -c orrery -n "__fish_orrery_using_subcommand help; and not __fish_seen_subcommand_from config db user-env token rotate-secret status servers explain doctor reload drain announce help" -f -a "drain" -d 'Start no more servers; those that run go on'
complete -c orrery -n "__fish_orrery_using_subcommand help; and not __fish_seen_subcommand_from config db user-env token rotate-secret status servers explain doctor reload drain announce help" -f -a "announce" -d 'Show a message on all pages'
complete -c orrery -n "__fish_orrery_using_subcommand help; and not __fish_seen_subcommand_from config db user-env token rotate-secret status servers explain doctor reload drain announce help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c orrery -n "__fish_orrery_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "show" -d 'Print the configuration that results from all sources, without secrets'
complete -c orrery -n "__fish_orrery_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "check" -d 'Tell what is wrong with the configuration'
complete -c orrery -n "__fish_orrery_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "init" -d 'Write a file to start from'
complete -c orrery -n "__fish_orrery_using_subcommand help; and __fish_seen_subcommand_from db" -f -a "migrate" -d 'Upgrade the database\'s schema'
complete -c orrery -n "__fish_orrery_using_subcommand help; and __fish_seen_subcommand_from db" -f -a "backup" -d 'Copy a SQLite database, beside it; a hub may be running'
complete -c orrery -n "__fish_orrery_using_subcommand help; and __fish_seen_subcommand_from db" -f -a "restore" -d 'Put a copy in the place of a SQLite database, and keep what was there; the hub must not be running'
complete -c orrery -n "__fish_orrery_using_subcommand help; and __fish_seen_subcommand_from user-env" -f -a "create" -d 'Build it, or build it anew and switch to the new one; as root'
