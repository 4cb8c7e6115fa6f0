//! The connection pools. SQLite: one writer and several readers. PostgreSQL: one pool for both. SQLite in memory: one
//! connection for everything, since a second one would see another database.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use diesel::connection::SimpleConnection;
use diesel::r2d2::R2D2Connection;
use r2d2::{ManageConnection, NopErrorHandler, Pool};
use scheduled_thread_pool::ScheduledThreadPool;
use tokio::sync::Semaphore;

use super::url::{self, Target};
use super::{ConnectError, Db, StoreConfig, StoreError, db, statements};

/// A pool and the permits to use it.
#[derive(Clone)]
pub(super) struct Lane {
    pool: Pool<Connector>,
    permits: Arc<Semaphore>,
    config: Arc<StoreConfig>,
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("state", &self.pool.state()).finish_non_exhaustive()
    }
}

/// How much of a pool is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// How many connections there may be.
    pub width: usize,
    /// How many are in use.
    pub busy: usize,
}

/// The lanes for reading and for writing, the latter beginning with the connection that has run the migrations.
pub(super) fn lanes(config: &StoreConfig, first: Db) -> Result<(Lane, Lane), StoreError> {
    let target = url::target(&config.url)?;
    // connections are made on this thread; r2d2 would otherwise start three of them for each pool
    let helper =
        Arc::new(ScheduledThreadPool::builder().num_threads(1).thread_name_pattern("store-pool").build());
    let lane = |width, connector| Lane::new(width, connector, config, &helper);
    let connector = |access, first| Connector {
        target: target.clone(),
        config: config.clone(),
        access,
        first: Mutex::new(first),
    };
    let shared = match target {
        Target::Memory => lane(1, connector(Access::Write, Some(first))),
        Target::Postgres(_) => lane(config.pool_size.max(1), connector(Access::Write, Some(first))),
        Target::File(_) => {
            let writing = lane(1, connector(Access::Write, Some(first)));
            return Ok((lane(config.pool_size.max(1), connector(Access::Read, None)), writing));
        }
    };
    Ok((shared.clone(), shared))
}

impl Lane {
    fn new(
        width: u32,
        connector: Connector,
        config: &StoreConfig,
        helper: &Arc<ScheduledThreadPool>,
    ) -> Self {
        let is_postgres = matches!(connector.target, Target::Postgres(_));
        // a database in memory ends with its connection
        let may_be_replaced = !config.recycle.is_zero() && !matches!(connector.target, Target::Memory);
        let pool = Pool::builder()
            .max_size(width)
            .min_idle(Some(1))
            // a server may have closed a connection that lay idle; a file cannot
            .test_on_check_out(is_postgres)
            .idle_timeout(is_postgres.then_some(std::time::Duration::from_secs(600)))
            .max_lifetime(may_be_replaced.then_some(config.recycle))
            .connection_timeout(config.connect_timeout.max(std::time::Duration::from_secs(1)))
            .error_handler(Box::new(NopErrorHandler))
            .thread_pool(Arc::clone(helper))
            .build_unchecked(connector);
        let permits = Semaphore::new(usize::try_from(width).unwrap_or(1));
        Self { pool, permits: Arc::new(permits), config: Arc::new(config.clone()) }
    }

    /// How many connections there may be, and how many of them are in use.
    pub(super) fn usage(&self) -> Usage {
        let width = usize::try_from(self.pool.max_size()).unwrap_or(0);
        Usage { width, busy: width.saturating_sub(self.permits.available_permits()) }
    }

    /// Runs `f` with a connection on a blocking thread, once one is free.
    pub(super) async fn run<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut Db) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|closed| StoreError::Interrupted(closed.to_string()))?;
        let lane = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            // the connection goes back before the permit does, so the next holder finds it
            let _permit = permit;
            f(&mut *lane.connection()?)
        });
        task.await.map_err(|gone| StoreError::Interrupted(gone.to_string()))?
    }

    fn connection(&self) -> Result<r2d2::PooledConnection<Connector>, StoreError> {
        self.pool.get().map_err(|error| db::unreachable_database(&self.config, ConnectError::Pool(error)))
    }
}

/// Whether a connection may change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// Makes connections for r2d2; picks the backend by the URL and keeps its error.
struct Connector {
    target: Target,
    config: StoreConfig,
    access: Access,
    /// The connection to hand out before any is made.
    first: Mutex<Option<Db>>,
}

impl ManageConnection for Connector {
    type Connection = Db;
    type Error = ConnectError;

    fn connect(&self) -> Result<Db, ConnectError> {
        if let Some(mut first) = self.first.lock().unwrap_or_else(PoisonError::into_inner).take() {
            statements::log_if_wanted(&mut first, &self.config);
            return Ok(first);
        }
        let mut db = db::connect(&self.target, &self.config)?;
        statements::log_if_wanted(&mut db, &self.config);
        if let (Access::Read, Db::Sqlite(connection)) = (self.access, &mut db) {
            connection.batch_execute("PRAGMA query_only = ON")?;
        }
        Ok(db)
    }

    fn is_valid(&self, db: &mut Db) -> Result<(), ConnectError> {
        Ok(db.ping()?)
    }

    fn has_broken(&self, db: &mut Db) -> bool {
        db.is_broken()
    }
}
