# Die Texte der Verwaltung auf Deutsch. Gleiche Schlüssel und Werte wie en/admin.ftl; ein Test vergleicht.

## Jede Seite

admin-navigation = Verwaltung
admin-version = Orrery { $version }
admin-users = Konten
admin-groups = Gruppen
admin-services = Dienste
admin-roles = Rollen
admin-hub = Hub
admin-search = Suchen
admin-results = Ergebnisse
admin-none = keine
admin-nothing = Keine.
admin-name = Name
admin-add = Hinzufügen
admin-process = Prozess
admin-address = Adresse
admin-pager = Seiten der Liste
admin-shown = { $first }–{ $last } von { $total }
admin-previous = Zurück
admin-next = Weiter
admin-no-undo = Das lässt sich nicht rückgängig machen.
admin-unknown-order = Diese Seite weiß nicht, was verlangt wurde. Laden Sie sie neu und versuchen Sie es noch einmal.
admin-type-a-name = Geben Sie mindestens einen Namen ein.
admin-user-deleted = Konto { $name }: gelöscht.
admin-group-deleted = Gruppe { $group }: gelöscht.

## Ein Server in einer Liste

admin-server = Server
admin-state = Zustand
admin-last-activity = Zuletzt aktiv
admin-started = Gestartet
admin-actions = Aktionen
admin-spoken-server = Server von { $owner }
admin-spoken-server-named = Server { $name } von { $owner }
admin-the-server = { $server }
admin-server-details = Einzelheiten ({ $server })
admin-options = Optionen
admin-options-of = ({ $server })
admin-delete-server = { $server } löschen?
admin-delete-server-text = Name, Optionen und Freigaben gehen verloren. Die Dateien im persönlichen Verzeichnis bleiben.
admin-sentence-server = Server von { $owner }
admin-sentence-server-named = Server { $name } von { $owner }
admin-server-started = { $server }: gestartet.
admin-server-starts = { $server }: startet.
admin-server-stopped = { $server }: gestoppt.
admin-server-stops = { $server }: stoppt.
admin-server-deleted = { $server }: gelöscht.

## Konten

admin-user = Konto
admin-add-users = Konten hinzufügen
admin-search-users = Konten suchen
admin-servers = Server
admin-any-state = beliebig
admin-on-the-way = startet oder stoppt
admin-none-running = keiner läuft
admin-group = Gruppe
admin-per-page = Je Seite
admin-admins-only = Nur Verwaltung
admin-users-hidden = Die Liste der Konten wird nicht angezeigt: { $reason }
admin-no-match = Kein Konto passt dazu.
admin-no-users = Es gibt noch keine Konten.
admin-several = Mehrere Konten
admin-tick = Kreuzen Sie Konten an und wählen Sie dann, was mit ihnen geschieht.
admin-all-users = Alle { $count } Konten
admin-all-matching = Alle { $count } passenden
admin-do-start = Starten …
admin-do-stop = Stoppen …
admin-do-delete = Löschen …
admin-do-group = In Gruppe aufnehmen …
admin-users-caption = Konten und ihre Server
admin-choose = Auswählen
admin-choose-user = { $name } auswählen
admin-choose-page = Alle Konten auf dieser Seite auswählen
admin-all-chosen = Alle sind ausgewählt, auch auf anderen Seiten.
admin-chosen = { $count ->
    [one] 1 Konto ausgewählt.
   *[other] { $count } Konten ausgewählt.
}
admin-is-admin = (Verwaltung)
admin-groups-of = Gruppen von { $name }
admin-more-groups = und { $count } weitere
admin-no-server = Kein Server zu sehen
admin-back-to-users = Zurück zu den Konten

## Neue Konten

admin-user-names = Benutzernamen
admin-user-names-help = Einer je Zeile, oder mit Kommas dazwischen.
admin-they-are-admins = Sie gehören zur Verwaltung
admin-too-many-names = Höchstens { $most } Namen auf einmal.
admin-added = hinzugefügt
admin-existed = gab es schon
admin-added-sum = { $added ->
    [one] 1 Konto hinzugefügt
   *[other] { $added } Konten hinzugefügt
}{ $existed ->
    [0] {""}
   *[other] , { $existed } gab es schon
}{ $wrong ->
    [0] {""}
   *[other] , { $wrong } nicht möglich
}.

## Ein Konto

admin-servers-of = Server von { $name }
admin-servers-hidden = Sie haben kein Recht, die Server dieses Kontos zu sehen.
admin-about = Über { $name }
admin-take-out-of = { $name } aus { $group } entfernen
admin-add-to-group = In eine Gruppe aufnehmen
admin-change = Ändern
admin-administrator = Verwaltung
admin-save = Speichern
admin-saved = Gespeichert.
admin-delete-user = Konto löschen
admin-delete-user-ask = Das Konto { $name } löschen?
admin-delete-user-text = Auch alle Server und Token des Kontos gehen verloren. Die Dateien im persönlichen Verzeichnis bleiben.
admin-the-user = ({ $name })
admin-not-yourself = Sie können sich nicht selbst löschen; jemand anderes aus der Verwaltung kann es.

## Mehrere Konten auf einmal

admin-bulk-title = { $deed ->
    [start] Server starten
    [stop] Server stoppen
    [delete] Konten löschen
    [message] Nachricht senden
   *[group] Konten in eine Gruppe aufnehmen
}
admin-plan-title = { $deed ->
    [start] { $count ->
        [one] 1 Server starten?
       *[other] { $count } Server starten?
    }
    [stop] { $count ->
        [one] 1 Server stoppen?
       *[other] { $count } Server stoppen?
    }
    [delete] { $count ->
        [one] 1 Konto löschen?
       *[other] { $count } Konten löschen?
    }
    [message] { $count ->
        [one] Nachricht an 1 Konto senden?
       *[other] Nachricht an { $count } Konten senden?
    }
   *[group] { $count ->
        [one] 1 Konto in die Gruppe { $group } aufnehmen?
       *[other] { $count } Konten in die Gruppe { $group } aufnehmen?
    }
}
admin-plan-button = { $deed ->
    [start] { $count ->
        [one] 1 Server starten
       *[other] { $count } Server starten
    }
    [stop] { $count ->
        [one] 1 Server stoppen
       *[other] { $count } Server stoppen
    }
    [delete] { $count ->
        [one] 1 Konto löschen
       *[other] { $count } Konten löschen
    }
    [message] { $count ->
        [one] An 1 Konto senden
       *[other] An { $count } Konten senden
    }
   *[group] { $count ->
        [one] 1 Konto aufnehmen
       *[other] { $count } Konten aufnehmen
    }
}
admin-plan-start = { $count ->
    [one] 1 Server wird gestartet
   *[other] { $count } Server werden gestartet
} ({ $users ->
    [one] 1 Konto
   *[other] { $users } Konten
}).
admin-plan-stop = { $count ->
    [one] 1 Server wird gestoppt
   *[other] { $count } Server werden gestoppt
} ({ $users ->
    [one] 1 Konto
   *[other] { $users } Konten
}). Was darin nicht gespeichert ist, geht verloren.
admin-plan-delete = Auch ihre Server und Token gehen verloren. Die Dateien in persönlichen Verzeichnissen bleiben. Das lässt sich nicht rückgängig machen.
admin-plan-running = { $count ->
    [one] 1 Server läuft schon.
   *[other] { $count } Server laufen schon.
}
admin-plan-stopped = { $count ->
    [one] 1 Server ist schon gestoppt.
   *[other] { $count } Server sind schon gestoppt.
}
admin-plan-forbidden = { $count ->
    [one] 1 bleibt, wie es ist
   *[other] { $count } bleiben, wie sie sind
}: Sie haben nicht das Recht zum { $deed ->
    [start] Starten
    [stop] Stoppen
    [delete] Löschen
    [message] Schreiben
   *[group] Aufnehmen
}.
admin-plan-yourself = Sie selbst sind ausgenommen: Niemand kann sich selbst löschen.
admin-plan-first = { $total } Konten passen; dies sind die ersten { $users }. Danach können die übrigen folgen.
admin-choose-deed = Wählen Sie, was geschehen soll.
admin-choose-users = Wählen Sie zuerst mindestens ein Konto.
admin-type-a-group = Geben Sie zuerst den Namen der Gruppe ein.
admin-no-such-group = Es gibt keine Gruppe { $group }.
admin-other-order = Dafür ist diese Seite nicht da.
admin-one-by-one = Einzeln
admin-past = { $deed ->
    [start] gestartet
    [stop] gestoppt
    [delete] gelöscht
    [message] gesendet
   *[group] aufgenommen
}
admin-under-way = läuft …
admin-takes-a-while = läuft noch; es dauert etwas
admin-progress = { $done } von { $count } erledigt.
admin-progress-failed = { $done } von { $count } erledigt, { $failed } fehlgeschlagen.
admin-all-done = Alle { $count } { $deed ->
    [start] gestartet
    [stop] gestoppt
    [delete] gelöscht
    [message] gesendet
   *[group] aufgenommen
}.
admin-some-done = { $done } von { $count } { $deed ->
    [start] gestartet
    [stop] gestoppt
    [delete] gelöscht
    [message] gesendet
   *[group] aufgenommen
}.
admin-some-left = { $done } von { $count } { $deed ->
    [start] gestartet
    [stop] gestoppt
    [delete] gelöscht
    [message] gesendet
   *[group] aufgenommen
}; { $left } nicht. Der Grund steht jeweils dabei.
admin-some-failed = { $count } fehlgeschlagen; mit der Schaltfläche können Sie es noch einmal versuchen.
admin-some-wait = { $count } stehen noch aus.
admin-try-again = Noch einmal versuchen ({ $count })
admin-go-on = Weiter mit { $count }

## Nachrichten an Konten

admin-messages-bulk = Nachricht …
admin-messages-title = Nachrichten
admin-messages-none = Für { $user } liegt keine Nachricht bereit.
admin-messages-label = Nachricht an { $user }
admin-messages-text = Nachricht
admin-messages-help = Nur Text, gern mehrere Zeilen. Die Nachricht bleibt auf der Startseite, bis sie weggelegt wird oder zu alt ist.
admin-messages-send = Senden
admin-messages-sent = Die Nachricht ist gesendet.
admin-messages-withdraw = Zurücknehmen
admin-messages-taken-back = Die Nachricht ist zurückgenommen.

## Gruppen

admin-search-groups = Gruppen suchen
admin-member-count = { $count ->
    [one] 1 Mitglied
   *[other] { $count } Mitglieder
}
admin-no-group-matches = Keine Gruppe passt dazu.
admin-no-groups = Es gibt noch keine Gruppen.
admin-new-group = Neue Gruppe
admin-create = Anlegen
admin-name-the-group = Geben Sie einen Namen für die Gruppe ein.
admin-group-created = Gruppe { $group }: angelegt.
admin-group-title = Gruppe { $group }
admin-roles-are = Rollen: { $roles }
admin-members = Mitglieder
admin-members-hidden = Sie haben kein Recht, die Mitglieder dieser Gruppe zu sehen.
admin-search-members = Mitglieder suchen
admin-take-out = { $name } aus der Gruppe entfernen
admin-first-members = Die ersten { $shown } von { $count }.
admin-see-all = Alle unter den Konten ansehen
admin-see-them = Mitglieder und ihre Server unter den Konten ansehen
admin-no-member-matches = Kein Mitglied passt dazu.
admin-no-members = Noch niemand.
admin-names-help = Namen mit Kommas dazwischen, oder einer je Zeile.
admin-no-such-user = dieses Konto gibt es nicht
admin-users-added = { $count ->
    [one] 1 Konto aufgenommen.
   *[other] { $count } Konten aufgenommen.
}
admin-some-added = { $count ->
    [one] 1 Konto
   *[other] { $count } Konten
} aufgenommen, { $wrong } nicht.
admin-group-added = Gruppe { $group }: { $names } aufgenommen.
admin-group-removed = Gruppe { $group }: { $name } entfernt.
admin-properties = Eigenschaften
admin-new-property = Neuer Name
admin-value = Wert
admin-value-of = von { $name }
admin-properties-help = Leeren Sie einen Namen, um die Eigenschaft zu entfernen. Nach dem Speichern gibt es eine weitere leere Zeile.
admin-save-properties = Eigenschaften speichern
admin-properties-saved = Eigenschaften gespeichert.
admin-property-twice = Zwei Eigenschaften heißen { $name }; nichts wurde gespeichert.
admin-delete-group = Gruppe löschen
admin-delete-group-ask = Die Gruppe { $group } löschen?
admin-delete-group-text = Ihre Mitglieder verlieren, was sie ihnen gibt.
admin-the-group = ({ $group })
admin-back-to-groups = Zurück zu den Gruppen

## Ein Server

admin-server-of = { $server } von { $owner }
admin-last-failure = Letzter Fehler
admin-start-so-far = Der Start bis jetzt
admin-facts = Angaben
admin-owner = Gehört
admin-name-in-addresses = Name in Adressen
admin-default-server = keiner: der Standardserver
admin-route = Route
admin-published = veröffentlicht
admin-not-published = nicht veröffentlicht
admin-account-number = Nummer des Kontos
admin-not-running = Er läuft nicht
admin-will-be-stopped = Wird gestoppt
admin-kept-until = Läuft mindestens bis
admin-usage = Verbrauch
admin-place-in-line = Platz in der Warteschlange
admin-last-event = Letztes Ereignis
admin-starts = Starts
admin-as-json = Alles als JSON
admin-server-as-json = Der Server als JSON
admin-events = Ereignisse
admin-events-hidden = Wer was getan hat, sehen nur die, die alle Konten ändern dürfen ({ $scope }).
admin-no-events = Es sind keine bekannt.
admin-events-caption = Ereignisse, die neuesten zuerst
admin-when = Wann
admin-what = Was
admin-why = Warum
admin-who = Wer
admin-back-to = Zurück zu { $name }

## Dienste und Rollen

admin-no-services = Es gibt keine Dienste.
admin-rights = Rechte
admin-rights-admin = Verwaltung
admin-runs-at = Läuft unter
admin-times = { $count ->
    [one] 1-mal
   *[other] { $count }-mal
}
admin-command = Befehl
admin-not-ours = nicht vom Hub gestartet
admin-silent = läuft, antwortet aber nicht
admin-roles-lead = Was Personen und Dienste dürfen. Rollen werden in der Konfiguration geändert.
admin-managed-role = Diese Rolle wird bei Anmeldungen festgelegt.
admin-scopes = { $count ->
    [one] 1 Scope
   *[other] { $count } Scopes
}
admin-of = von { $name }

## Der Hub

admin-ending = Der Hub wird beendet
admin-ending-text = Server, die gestoppt werden sollen, werden jetzt gestoppt. Laden Sie diese Seite neu, um zu sehen, ob der Hub wieder da ist.
admin-down = Der Hub ist beendet
admin-down-text = Seit { $time } antwortet er nicht. Diese Seite meldet, wenn er wieder da ist.
admin-back = Der Hub ist wieder da
admin-back-text = Er antwortet wieder, nach { $seconds } Sekunden.
admin-still-up = Er antwortet noch, { $seconds ->
    [one] 1 Sekunde
   *[other] { $seconds } Sekunden
} nach dem Auftrag: Server, die gestoppt werden sollen, werden jetzt gestoppt.
admin-continue = Weiter
admin-now = Jetzt
admin-version-title = Version
admin-sign-in = Anmeldung
admin-spawner = Spawner
admin-database = Datenbank
admin-proxy = Proxy
admin-milliseconds = { $kind }, { $count } ms
admin-proxy-routes = { $kind }, { $count } Routen
admin-not-reached = { $kind }, nicht erreichbar
admin-memory = Speicher
admin-memory-of = { $size } MiB im Prozess { $process }
admin-open-files = Offene Dateien
admin-files-of = { $count } von { $limit }
admin-not-answering = Diese Teile antworten nicht: { $parts }
admin-run-or-start = Server, die laufen oder starten
admin-starting = Server, die starten
admin-count-of = { $count } von { $limit }
admin-no-limit = { $count }, ohne Grenze
admin-in-line = In der Warteschlange
admin-failed = Fehlgeschlagen
admin-pending = In Arbeit
admin-announcement = Mitteilung
admin-by = Von { $name }.
admin-withdraw = Zurückziehen
admin-withdraw-what = (die Mitteilung)
admin-nothing-announced = Zurzeit gibt es keine Mitteilung.
admin-another-message = Andere Mitteilung
admin-message = Mitteilung auf allen Seiten
admin-ends-after = Endet nach so vielen Stunden
admin-announce = Mitteilen
admin-announced = Die Mitteilung steht auf allen Seiten.
admin-withdrawn = Die Mitteilung ist zurückgezogen.
admin-maintenance = Wartung
admin-open = Wieder Server starten
admin-open-when = (ab jetzt)
admin-maintenance-text = Dann werden keine Server mehr gestartet; die laufenden laufen weiter.
admin-maintenance-message = Mitteilung (es gibt eine übliche)
admin-begins-in = Beginnt in so vielen Minuten
admin-ends-later = Endet so viele Stunden später
admin-maintain = Wartung beginnen
admin-maintained = Während der Wartung werden keine Server gestartet; die laufenden laufen weiter.
admin-opened = Server werden wieder gestartet.
admin-odd-times = Zeiten sind Zahlen, die nicht negativ sind.
admin-configuration = Konfiguration
admin-in-force = Gilt jetzt
admin-would-be = Würde gelten
admin-needs-restart = Gilt erst nach einem Neustart des Hubs
admin-no-changes = Kein Schlüssel hat einen anderen Wert als den, der gilt. Vorlagen und Logo werden beim Neuladen neu gelesen.
admin-read-from = Gelesen aus { $files }
admin-look-first = Sehen Sie zuerst nach, was sich in den Dateien geändert hat, seit der Hub sie gelesen hat.
admin-look = Änderungen ansehen
admin-look-where = (der Konfiguration)
admin-reload = Neu laden
admin-reload-what = (die Konfiguration)
admin-reloaded = Die Konfiguration wurde neu gelesen.
admin-reload-wrong = Die Konfiguration ist fehlerhaft; nichts wurde geändert: { $problems }
admin-shutdown = Beenden
admin-shutdown-text = Niemand kann sich anmelden oder Server starten, bis der Hub wieder gestartet ist.
admin-shutdown-servers = Auch alle Server der Konten stoppen
admin-shutdown-proxy = Auch den Proxy stoppen
admin-shutdown-word = Geben Sie zur Bestätigung { $word } ein
admin-shutdown-no = Geben Sie { $word } ein, um den Hub zu beenden. Nichts wurde getan.
admin-shutting-down = Der Hub wird beendet.
admin-journal = Wer hat was getan
admin-no-journal = Es ist noch nichts aufgezeichnet.
admin-journal-caption = Das Journal, das Neueste zuerst
admin-to-what = Woran
admin-more = Mehr
admin-older = Ältere Einträge
