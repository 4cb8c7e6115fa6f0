login-username = Uni-Kennung:
site-help = Hilfe
site-phone = Fragen? Telefon { $number }.
site-account = Noch kein Konto? Fragen Sie am Info-Schalter.
site-look = Vielleicht finden Sie es hier: { $link }
