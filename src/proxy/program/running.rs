//! The program at work: until it ends, or until another process has taken over and the last connection has ended.

use std::io;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::certificates::Certificates;
use super::engine::Engine;
use super::hand_over::{self, Channel, Estate, LastWords, Successor};
use super::register::Register;
use super::signals::{Order, Signals};
use crate::cli::Settings;
use crate::notify::{self, ALIVE, READY, STOPPING};
use crate::own_file::OwnFile;
use crate::side::Closing;

/// What CHP ends with when it is told to end.
pub(super) const ENDED_BY_SIGNAL: u8 = 2;
/// What a process ends with that has handed over.
const HANDED_OVER: u8 = 0;
/// How often a process that has handed over tells which routes it still uses.
const TELL_EVERY: Duration = Duration::from_secs(2);
/// How often the last uses of routes are written down.
const WRITE_EVERY: Duration = Duration::from_secs(10);
/// How long calls of its API may take to be answered.
const LAST_CALLS: Duration = Duration::from_secs(30);

/// The tasks beside the data plane.
#[derive(Default)]
pub(super) struct Side {
    tasks: JoinSet<io::Result<()>>,
    pub(super) closing: Closing,
    /// What ends with our being in charge.
    listening: JoinSet<()>,
}

impl Side {
    pub(super) fn spawn(&mut self, task: impl Future<Output = io::Result<()>> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Writes down the last uses of routes now and then, for the process after a crash; changes are written at once.
    pub(super) fn write_often(&mut self, register: &Arc<Register>) {
        self.listening.spawn(write_often(Arc::clone(register)));
    }

    /// Tells systemd again and again that this thread, which the API needs, is not stuck (`WatchdogSec=`).
    pub(super) fn tell_alive(&mut self) {
        let Some(pause) = notify::watchdog_pause() else { return };
        self.listening.spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                notify::notify(ALIVE);
            }
        });
    }

    /// Hears which routes the processes before us still use.
    pub(super) fn follow(&mut self, register: &Arc<Register>, elders: &[Arc<Channel>]) {
        register.follow(elders);
        for elder in elders {
            let (register, elder) = (Arc::clone(register), Arc::clone(elder));
            self.listening.spawn(async move {
                hand_over::listen(&elder, register.routes()).await;
                register.outlive(&elder);
            });
        }
    }
}

/// Files that are gone when we are, unless somebody else has them then.
pub(super) struct Files {
    pub(super) sockets: Vec<OwnFile>,
    pub(super) pid: Option<OwnFile>,
}

impl Files {
    fn leave(&mut self) {
        self.sockets.drain(..).chain(self.pid.take()).for_each(OwnFile::leave);
    }
}

/// A process that serves.
pub(super) struct Running<'a> {
    pub(super) engine: Engine,
    pub(super) signals: Signals,
    pub(super) certificates: &'a Certificates,
    pub(super) estate: Estate,
    pub(super) side: Side,
    pub(super) files: Files,
}

impl Running<'_> {
    /// Until it is to end, or another process is ready to take over.
    pub(super) async fn serve(mut self) -> (Self, Option<Successor>) {
        let successor = loop {
            match self.signals.next().await {
                Order::End => break None,
                Order::Reload => self.certificates.refresh(),
                Order::HandOver => match self.find_successor().await {
                    ControlFlow::Continue(()) => {}
                    ControlFlow::Break(successor) => break successor,
                },
            }
        };
        (self, successor)
    }

    /// Breaks with a successor that is ready, or with nobody if this process is to end meanwhile.
    async fn find_successor(&mut self) -> ControlFlow<Option<Successor>> {
        log::info!("Starting a process to hand over to");
        let outcome = {
            let mut handing_over = pin!(self.estate.hand_over());
            loop {
                tokio::select! {
                    outcome = &mut handing_over => break outcome,
                    order = self.signals.next() => match order {
                        Order::End => return ControlFlow::Break(None),
                        Order::Reload => self.certificates.refresh(),
                        Order::HandOver => log::warn!("A hand-over is under way"),
                    },
                }
            }
        };
        match outcome {
            Ok(successor) => ControlFlow::Break(Some(successor)),
            Err(why) => {
                log::error!("This process goes on: there is no successor: {why}");
                self.estate.note(None);
                ControlFlow::Continue(())
            }
        }
    }

    /// Finishes what is under way.
    pub(super) async fn end(mut self) -> u8 {
        log::warn!("Terminated");
        notify::notify(STOPPING);
        // A successor may want the places at once.
        self.side.tasks.shutdown().await;
        drop((self.files, self.estate));
        drain(&self.engine, &mut self.signals).await;
        ENDED_BY_SIGNAL
    }

    /// Leaves everything to the successor and waits for the end of what is under way.
    pub(super) async fn hand_over(mut self, successor: Successor, settings: &Settings) -> u8 {
        let pid = successor.pid;
        // In one message, for from then on systemd listens to the other process only.
        // it is alive, and has a whole WatchdogSec= for its own first word: else processes that replace each other
        // faster than they speak are killed, with all that older ones still have
        notify::notify(&format!("MAINPID={pid}\n{READY}\n{ALIVE}"));
        self.side.closing.close().await;
        self.engine.hand_over();
        self.files.leave();
        self.estate.sockets.clear();
        self.side.listening.shutdown().await;
        self.estate.register.forget();
        let channel = successor.go().await;
        self.estate.note(Some(pid));
        log::info!("Process {pid} has taken over; connections that are open end here");
        let routes = self.estate.register.routes().clone();
        let mut last_words = LastWords::new(channel, routes, settings.matching);
        let status = self.last_connections(&mut last_words, settings.hand_over_timeout).await;
        if let Err(error) = last_words.tell().await {
            log::debug!(error:%; "the successor was not told of the last uses of routes");
        }
        log::info!("The last connection has ended");
        status
    }

    async fn last_connections(&mut self, last_words: &mut LastWords, limit: Option<Duration>) -> u8 {
        let mut ticks = tokio::time::interval(TELL_EVERY);
        let mut limit = pin!(wait(limit));
        let mut has_successor = true;
        let (engine, tasks) = (&self.engine, &mut self.side.tasks);
        let mut ended = pin!(async {
            engine.ended().await;
            let last_calls = async { while tasks.join_next().await.is_some() {} };
            // Whoever is cut off here has had half a minute.
            let _ = tokio::time::timeout(LAST_CALLS, last_calls).await;
        });
        loop {
            tokio::select! {
                () = &mut ended => return HANDED_OVER,
                () = &mut limit => {
                    log::warn!("Connections that are still open get no more time");
                    drain(&self.engine, &mut self.signals).await;
                    return HANDED_OVER;
                }
                order = self.signals.next() => match order {
                    Order::End => {
                        log::warn!("Terminated");
                        drain(&self.engine, &mut self.signals).await;
                        return ENDED_BY_SIGNAL;
                    }
                    Order::Reload => self.certificates.refresh(),
                    Order::HandOver => log::warn!("This process has handed over already"),
                },
                heard = last_words.hear(), if has_successor => has_successor = heard,
                _ = ticks.tick(), if has_successor => has_successor = last_words.tell().await.is_ok(),
            }
        }
    }
}

async fn write_often(register: Arc<Register>) {
    loop {
        tokio::time::sleep(WRITE_EVERY).await;
        if let Err(error) = register.write_down(|_| Ok(())) {
            log::warn!(error:%; "routes were not written down");
        }
    }
}

/// Finishes what is under way within the drain timeout; a signal cuts it short.
async fn drain(engine: &Engine, signals: &mut Signals) {
    tokio::select! {
        () = engine.drain() => {}
        () = signals.end() => {
            log::warn!("Terminated again: open connections are cut");
            engine.cut().await;
        }
    }
}

async fn wait(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}
