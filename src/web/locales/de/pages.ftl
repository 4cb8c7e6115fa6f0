# Die Texte der Seiten auf Deutsch. Gleiche Schlüssel und Werte wie en/pages.ftl; ein Test vergleicht.

language-name = Deutsch

## Jede Seite

page-skip = Zum Hauptinhalt springen
page-navigation = Hauptmenü
page-logo = Startseite
page-menu = Menü
page-home = Startseite
page-token = Token
page-admin = Verwaltung
page-services = Dienste
page-account = Konto
page-login = Anmelden
page-logout = Abmelden
page-announcement = Mitteilung
page-announcement-hide = Ausblenden
page-announcement-hide-label = Diese Mitteilung ausblenden
page-error-title = Das hat nicht geklappt
page-close = Schließen
colours = Farben
colours-auto = Farben: automatisch
colours-light = Farben: hell
colours-dark = Farben: dunkel
language-choice = Sprache
notice-maintenance = Wartung
notice-announcement = Mitteilung
notice-begins = Beginn: { $time }.
notice-ends = Ende: { $time }.
message-close = Diese Meldung schließen
time-never = Nie
time-just-now = gerade eben
ask-cancel = Abbrechen
api-failed = Die Anfrage ist fehlgeschlagen ({ $status }): { $message }
api-answered = Der Hub antwortete { $status }.
api-unreachable = Der Hub ist nicht erreichbar. Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.

## Inzwischen abgemeldet (live.js)

connection-lost = Der Hub ist nicht erreichbar. Was Sie sehen, ist vielleicht nicht mehr aktuell; ein neuer Versuch läuft …
signed-out-title = Sie sind abgemeldet
signed-out-text = Ihre Sitzung ist beendet, hier oder in einem anderen Tab. Melden Sie sich wieder an, um dort weiterzumachen, wo Sie waren; inzwischen wurde nichts geändert.
signed-out-again = Anmelden
other-account-title = Ein anderes Konto ist angemeldet
other-account-text = Sie haben diese Seite als { $before } geöffnet. Seitdem hat sich { $now } in diesem Browser angemeldet; deshalb wurde nichts getan.
other-account-go-on = Als { $name } weitermachen
other-account-sign-out = Abmelden

## An- und Abmeldung

login-title = Anmelden
login-button = Anmelden
login-as = Sie melden sich als { $user } an.
login-continue = Weiter
login-cancel = Abbrechen
login-with = Mit { $service } anmelden
login-insecure = Diese Verbindung ist nicht verschlüsselt: Andere im Netz können das Passwort mitlesen, das Sie hier eingeben. Fragen Sie die Verwaltung nach einer Adresse, die mit https beginnt.
login-username = Benutzername:
login-password = Passwort:
login-show = Zeigen
login-show-label = Passwort zeigen
login-terms = Ich akzeptiere die { $link }.
login-terms-link = Nutzungsbedingungen
logout-title = Abgemeldet
logout-text = Sie haben sich abgemeldet.
logout-again = Wieder anmelden

## Konto

account-title = Konto
account-kind = Art
account-admin = Verwaltung
account-user = Person
account-since = Angelegt
account-groups = Gruppen
account-no-groups = Sie sind in keiner Gruppe.
account-roles = Rollen
account-roles-text = Sie sagen, was Sie hier dürfen. Wenden Sie sich an die Verwaltung, wenn etwas fehlt.
account-role-undescribed = Keine Beschreibung
account-sessions = Sitzungen
account-sessions-text = Die Browser, in denen Sie angemeldet sind, wie dieser Hub sie gesehen hat. Kennen Sie einen davon nicht, dann beenden Sie seine Sitzung und ändern Sie Ihr Passwort.
account-sessions-ending = Wird eine Sitzung beendet, ist der Browser sofort abgemeldet, und was Sie Anwendungen darin erlaubt haben, gilt nicht mehr; dort geöffnete Server merken es innerhalb von fünf Minuten. Ihre Server laufen weiter, und die Token, die Sie selbst erstellt haben, bleiben.
account-ended-one = Die Sitzung ist beendet.
account-ended-others = Alle anderen Browser sind abgemeldet.
account-end-others = Alle anderen Browser abmelden
account-end-sessions = Überall abmelden
account-tokens = Token und erlaubte Anwendungen
account-language-text = Dieser Browser merkt sich Ihre Wahl.
account-language-auto = Wie vom Browser gewünscht

## Sitzungen, auf der Kontoseite und in der Verwaltung

session-column-browser = Browser
session-column-address = Netzadresse
session-column-since = Angemeldet
session-column-seen = Zuletzt gesehen
session-column-actions = Aktionen
session-browser-on = { $browser } unter { $system }
session-unknown-on = Unbekannter Browser unter { $system }
session-unknown = Unbekannter Browser
session-foreign = Von JupyterHub angemeldete Browser
session-current = Dieser Browser
session-end = Sitzung beenden
session-end-of = von { $address }
session-end-current = Abmelden
session-none = Diese Person ist in keinem Browser angemeldet.

## Token

token-title = Token
token-lead = Mit einem Token kann ein Programm für Sie handeln. Wer es hat, kann alles tun, was es erlaubt: Bewahren Sie es auf wie ein Passwort.
token-new = Neues API-Token
token-note = Notiz
token-note-help = Wofür das Token ist, damit Sie es in der Liste wiedererkennen.
token-note-default = Auf der Token-Seite erstellt
token-expires-in = Gültigkeit des Tokens
token-limit = Höchstens { $unit ->
    [days] { $count ->
        [one] 1 Tag
       *[other] { $count } Tage
    }
    [hours] { $count ->
        [one] 1 Stunde
       *[other] { $count } Stunden
    }
   *[seconds] { $count } Sekunden
}
token-choose = Auswählen, was es erlaubt; sonst erlaubt es alles, was Sie dürfen
token-permits = Was das Token erlaubt
token-permissions = Rechte
token-permissions-help = Oder Namen von Scopes, getrennt durch Leerzeichen oder Kommas, zum Beispiel { $example }.
token-request = Neues API-Token erstellen
token-made = Ihr neues API-Token
token-once = Kopieren Sie es jetzt: Es wird nicht noch einmal angezeigt.
token-copy = Kopieren
token-copied = Kopiert.
token-selected = Markiert; kopieren Sie mit Strg+C.
token-list = API-Token
token-find = Token suchen
token-which = Welche Token
token-which-all = Alle ({ $count })
token-which-expiring = Laufen binnen einer Woche ab ({ $count })
token-which-unused = Seit drei Monaten unbenutzt ({ $count })
token-which-none = Davon gibt es keine.
token-column-note = Notiz
token-column-permissions = Rechte
token-column-used = Zuletzt benutzt
token-column-created = Erstellt
token-column-expires = Läuft ab
token-column-actions = Aktionen
token-column-application = Anwendung
token-column-authorized = Zuerst erlaubt
token-scopes = Scopes
token-scopes-of = von { $name }
token-revoke = Widerrufen
token-revoke-title = { $name } widerrufen?
token-revoke-server = Einer Ihrer Server benutzt dieses Token. Ohne das Token kann er dem Hub nicht mehr melden, dass er benutzt wird, und Sie nicht neu einlassen, bis er neu gestartet ist.
token-revoke-application = Alle Token dieser Anwendung enden sofort. Sie kann Sie noch einmal fragen.
token-revoke-other = Programme, die dieses Token benutzen, funktionieren sofort nicht mehr. Das lässt sich nicht rückgängig machen.
token-revoked = { $name } ist widerrufen.
token-applications = Erlaubte Anwendungen
token-applications-text = Server und Dienste, die wissen, wer Sie sind, weil Sie es erlaubt haben. Ein Widerruf beendet den Zugang sofort, mit allen zugehörigen Token; die Anwendung kann wieder fragen.

## Zustimmung

consent-title = Zugriff erlauben
consent-asks = { $application } (OAuth-Adresse: { $address }) möchte Ihr { $hub }-Konto { $user } verwenden.
consent-scopes = Damit darf die Anwendung
consent-applies = Gilt für { $filter }.
consent-identity = Sie erfährt nur, wer Sie sind; in Ihrem Namen handeln kann sie nicht.
consent-authorize = Erlauben
consent-refuse = Nicht erlauben
filter-own-user = Ihr eigenes Konto
filter-own-server = diesen Server
filter-own-service = diesen Dienst
filter-user = das Konto { $name }
filter-group = die Gruppe { $name }
filter-server = den Server { $name }
filter-service = den Dienst { $name }

## Ein Angebot, den Server von jemandem zu benutzen

offer-title = Geteilter Server
offer-heading = { $owner } teilt einen Server mit Ihnen
offer-text = Sie ({ $user }) sind eingeladen, den Server von { $owner } unter { $address } zu benutzen.
offer-text-named = Sie ({ $user }) sind eingeladen, den Server { $server } von { $owner } unter { $address } zu benutzen.
offer-stopped = Der Server läuft zurzeit nicht. Sie können trotzdem annehmen und ihn öffnen, sobald { $owner } ihn gestartet hat.
offer-scopes = Das dürfen Sie dann
offer-scope = { $scope } (gilt für { $filter })
offer-next = Danach kommen Sie zu { $link }.
offer-accept = Einladung annehmen
offer-decline = Ablehnen

## Startseite

home-heading = Meine Server
home-another = Noch ein Server
home-another-help = Neben Ihrem Standardserver können Sie weitere Server haben, jeden mit eigenem Namen.
home-another-limit = Neben Ihrem Standardserver können Sie bis zu { $limit } weitere Server haben, jeden mit eigenem Namen.
home-name = Name des Servers
home-add = Server hinzufügen
home-name-help = Buchstaben, Ziffern und Zeichen, wie Sie möchten. Daraus entsteht die Adresse.
home-name-empty = Geben Sie zuerst einen Namen für den Server ein.
home-name-taken = Sie haben schon einen Server mit dem Namen { $name } in der Adresse. Wählen Sie einen anderen Namen.
home-slug = Sein Name in Adressen wird { $name } sein.
home-now = { $name }: { $state }
home-copied = Die Adresse ist kopiert.
home-address-is = Die Adresse ist { $address }
home-queued = { $server } wird gestartet, sobald er gestoppt ist.
home-rename-title = { $server } umbenennen
home-rename-text = Nur der Name, den Sie sehen, ändert sich; die Adresse bleibt.
home-rename-label = Neuer Name
home-rename-empty = Geben Sie zuerst einen Namen ein.
home-delete-title = { $server } löschen?
home-delete-text = Name, Optionen und Freigaben gehen verloren. Die Dateien in Ihrem persönlichen Verzeichnis bleiben.
home-back = Zur Startseite
home-message = Neue Nachricht: { $text }
messages-title = Nachrichten für Sie
messages-from = Von { $by }, { $time }
messages-from-service = Vom Dienst { $by }, { $time }
messages-dismiss = Weglegen
servers-used = { $count } von { $limit } benannten Servern belegt
servers-find = Server suchen
servers-invalid = Diese Namen entsprechen nicht mehr den Regeln für Servernamen: { $names }. Die Server können weiter benutzt werden; löschen Sie sie und legen Sie andere an, um gültige Namen zu bekommen.
shared-title = Mit mir geteilt
shared-default = Server von { $owner }
shared-which = { $name } von { $owner }
shared-which-default = Server von { $owner }
shared-leave = Verlassen

## Ein Server

state-stopped = gestoppt
state-starting = startet
state-running = läuft
state-stopping = stoppt
state-failed = fehlgeschlagen
server-default-name = Mein Server
server-started = Gestartet { $time }
server-used = Zuletzt benutzt { $time }
server-unused = Noch nie benutzt
option-profile = Profil
option-yes = ja
option-no = nein
server-address = Name in der Adresse: { $name }
server-uses = Verbraucht { $usage }
server-cancel-which = (Start von { $server })
server-which = von { $server }
server-stop = Stoppen
server-stop-default = Meinen Server stoppen
server-open = Öffnen
server-open-default = Mein Server
server-progress = Fortschritt
server-retry = Noch einmal
server-start = Starten
server-start-default = Meinen Server starten
server-restart = Neu starten
server-copy = Adresse kopieren
server-rename = Umbenennen
server-delete = Löschen
server-options = Mit anderen Optionen starten
server-share = Teilen
server-memory = { $warning }. Nicht gespeicherte Ergebnisse dieses Kernels sind verloren; starten Sie ihn neu und verwenden Sie weniger Speicher auf einmal.
server-cull = Dieser Server wird { $time } gestoppt, wenn er nicht benutzt wird. Speichern Sie Ihre Arbeit.
server-keep = Weiterlaufen lassen{ $server }: { $time }
server-yours = Ihr Server
server-yours-named = Ihr Server { $server }
server-of = Der Server von { $owner }
server-of-named = Der Server { $server } von { $owner }
failure-silent = Der Server wurde beendet, ohne einen Grund zu nennen.
failure-at = Fehlgeschlagen { $time }
failure-log = Letzte Zeilen seines Logs
failure-log-label = Letzte Zeilen des Logs
retry-in = { $action } in { $seconds } s
failed-title = Start fehlgeschlagen
try-again = Noch einmal versuchen

## Ein Server, der startet, stoppt oder nicht läuft

pending-title = Startet
pending-heading = { $server } wird gestartet
pending-promise = Sie werden weitergeleitet, sobald er bereit ist.
pending-bar = Fortschritt des Starts
pending-steps = Schritte des Starts
pending-stop = Server stoppen
pending-reload = Seite neu laden
pending-log = Ereignisse
progress-interrupted = Die Verbindung wurde unterbrochen. Sie wird wiederhergestellt …
progress-stopping = Der Server wird gestoppt …
progress-stopped = Der Server ist gestoppt. Es geht zurück zur Startseite.
progress-failed-after = nach { $time }
span-seconds = { $seconds } s
span-minutes = { $minutes } min { $seconds } s
stopping-title = Stoppt
stopping-heading = { $server } wird gestoppt
stopping-text = Sie können ihn wieder starten, sobald er gestoppt ist. Diese Seite merkt das.
stopping-start = Danach wieder starten
stopping-look = Jetzt nachsehen
stopping-away = Der Hub ist nicht erreichbar; ein neuer Versuch läuft …
stopping-since = Seit { $seconds } Sekunden.
stopping-then = Er wird gestartet, sobald er gestoppt ist.
not-running-title = Server läuft nicht
not-running-text = { $server } läuft nicht.
not-running-failed = { $server } konnte nicht gestartet werden.
not-running-owner = Nur wem er gehört, kann ihn starten.
not-running-launch = Server starten
not-running-relaunch = Server noch einmal starten
not-running-soon = Er wird in { $seconds } s gestartet.
not-running-wait = Nicht starten
not-running-never = Er wird nicht von selbst gestartet.

## Vor einem Start

spawn-title = Server-Optionen
spawn-heading = Server-Optionen
spawn-for = Server wird für { $user } gestartet
spawn-name = Name des Servers: { $name }
spawn-error = Fehler: { $message }
spawn-start = Starten
spawn-sending = { $count ->
    [one] { $name } wird gesendet
   *[other] { $count } Dateien werden gesendet
}, { $size } MB …
spawn-share = Gesendeter Teil der Dateien
spawn-sent = Alles ist angekommen; es wird gestartet …
spawn-not-sent = Die Dateien konnten nicht gesendet werden: Die Verbindung ist abgebrochen, oder sie sind größer, als dieser Hub annimmt. Versuchen Sie es noch einmal.
profiles-question = Was möchten Sie starten?
profiles-unit = in { $unit }
profiles-range = Von { $min } bis { $max }.

## Vor einem Neustart

restart-title = Server neu starten
restart-yours = Ihren Server neu starten?
restart-yours-named = Ihren Server { $server } neu starten?
restart-of = Den Server von { $owner } neu starten?
restart-of-named = Den Server { $server } von { $owner } neu starten?
restart-text = Was darin läuft, endet, und was nicht gespeichert ist, geht verloren. Er startet wieder so wie beim letzten Mal.
restart-stopped = Er läuft zurzeit nicht.
restart-do = Neu starten
restart-start = Starten

## Teilen

sharing-title = Teilen
sharing-lead = Wen Sie in einen Server lassen, der sieht und ändert alles darin und kann ausführen, was Sie ausführen können.
sharing-link = Link erstellen
sharing-link-help = Wer den Link hat und sich hier anmelden kann, kann ihn annehmen.
sharing-expiry = Kann angenommen werden für
sharing-new = Der neue Link
sharing-person = Mit einer Person oder Gruppe teilen
sharing-a-person = einer Person
sharing-a-group = einer Gruppe
sharing-name = Name
sharing-mine = Von mir geteilt
sharing-with = Mit
sharing-server = Server
sharing-may = Darf
sharing-since = Geteilt
sharing-until = Ende
sharing-until-revoked = Wenn Sie es widerrufen
sharing-whom-user = { $name }
sharing-whom-group = Gruppe { $name }
sharing-whom-link = Wer den Link { $name } hat
sharing-accepted = { $count ->
    [one] 1-mal angenommen
   *[other] { $count }-mal angenommen
}
sharing-not-accepted = Noch nicht angenommen
sharing-links-text = Wer einen Link angenommen hat, steht mit Namen in der Liste und behält den Zugang, wenn Sie den Link widerrufen.
sharing-none = Keiner Ihrer Server ist für andere offen.

## Fehler

error-home = Zur Startseite
error-not-found = Seite nicht gefunden
error-nothing-here = Unter dieser Adresse gibt es keine Seite, oder Sie dürfen sie nicht sehen.
error-retry = In { $seconds } Sekunden können Sie es noch einmal versuchen.
error-restart = Neu starten
error-forbidden = Das dürfen Sie hier nicht. Wenn Sie es brauchen, wenden Sie sich an die Verwaltung.
error-rights = Welche Rechte fehlen
