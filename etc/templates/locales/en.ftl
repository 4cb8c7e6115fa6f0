# Only what differs from the built-in words, and what the templates beside this folder ask for.
login-username = University ID:
site-help = Help
site-phone = Questions? Call { $number }.
site-account = No account yet? Ask at the help desk.
site-look = Perhaps you find it here: { $link }
