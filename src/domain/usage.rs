//! What a server uses, and how amounts of it are written.

use std::time::Duration;

use serde::Serialize;

/// What a server used when it was last looked at; `None` where nobody tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Usage {
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// The most that it may have.
    pub memory_limit: Option<u64>,
    /// Processor cores that it kept busy between the last two looks.
    pub cpu: Option<f64>,
    /// Seconds of processor time since its start.
    pub cpu_seconds: Option<f64>,
    /// Processes and threads.
    pub processes: Option<u32>,
    /// How many of its processes were killed because it reached its memory limit.
    pub memory_kills: u32,
}

impl Usage {
    /// With the cores that were busy since `before`, which was `ago`.
    #[must_use]
    pub fn since(self, before: Option<&Self>, ago: Duration) -> Self {
        let spent = self.cpu_seconds.zip(before.and_then(|before| before.cpu_seconds));
        let cpu = spent.filter(|_| !ago.is_zero()).map(|(now, before)| (now - before) / ago.as_secs_f64());
        Self { cpu: cpu.map(|cores| cores.max(0.0)), ..self }
    }

    /// `1.2 GiB of 2 GiB, 0.3 cores, 14 processes`; `None` if nothing is known.
    #[must_use]
    pub fn in_short(&self) -> Option<String> {
        let memory = self.memory.map(|memory| match self.memory_limit {
            Some(limit) => format!("{} of {}", bytes(memory), bytes(limit)),
            None => bytes(memory),
        });
        let cpu = self.cpu.map(|cores| format!("{cores:.1} cores"));
        let processes = self.processes.map(|count| match count {
            1 => "1 process".to_owned(),
            count => format!("{count} processes"),
        });
        let parts: Vec<String> = [memory, cpu, processes].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// What to tell somebody whose kernel was killed while the server lives on.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let killed = match self.memory_kills {
            0 => return None,
            1 => "A process of this server (a kernel, perhaps) was killed".to_owned(),
            count => format!("{count} processes of this server (kernels, perhaps) were killed"),
        };
        Some(match self.memory_limit {
            Some(limit) => format!("{killed}: memory limit {} reached", bytes(limit)),
            None => format!("{killed} because there was no memory left"),
        })
    }
}

/// An amount of bytes as people write it: `2 GiB`, `1.5 GiB`, `300 B`.
#[must_use]
pub fn bytes(amount: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut tenths, mut unit) = (u128::from(amount) * 10, 0);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths = (tenths + 512) / 1024;
        unit += 1;
    }
    let name = UNITS.get(unit).unwrap_or(&"");
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} {name}"),
        (whole, part) => format!("{whole}.{part} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_people_write_them() {
        for (amount, written) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536 << 10, "1.5 MiB"),
            (2 << 30, "2 GiB"),
            ((2 << 30) + (600 << 20), "2.6 GiB"),
            (3 << 50, "3072 TiB"),
        ] {
            assert_eq!(bytes(amount), written);
        }
    }

    #[test]
    fn busy_cores_are_what_was_spent_between_two_looks() {
        let at = |seconds| Usage { cpu_seconds: Some(seconds), ..Usage::default() };
        let second = Duration::from_secs(2);
        assert_eq!(at(13.0).since(Some(&at(10.0)), second).cpu, Some(1.5));
        assert_eq!(at(9.0).since(Some(&at(10.0)), second).cpu, Some(0.0), "another run");
        assert_eq!(at(9.0).since(None, second).cpu, None);
        assert_eq!(Usage::default().since(Some(&at(1.0)), second).cpu, None);
    }

    #[test]
    fn what_is_known_is_told_in_short() {
        let all = Usage {
            memory: Some(1_288_490_188),
            memory_limit: Some(2 << 30),
            cpu: Some(0.26),
            processes: Some(14),
            ..Usage::default()
        };
        assert_eq!(all.in_short().unwrap(), "1.2 GiB of 2 GiB, 0.3 cores, 14 processes");
        let little = Usage { memory: Some(5 << 20), ..Usage::default() };
        assert_eq!(little.in_short().unwrap(), "5 MiB");
        assert_eq!(Usage::default().in_short(), None);
    }

    #[test]
    fn sec_086_a_kernel_that_was_killed_is_told_with_the_limit() {
        let killed = Usage { memory_kills: 1, memory_limit: Some(2 << 30), ..Usage::default() };
        assert!(killed.warning().unwrap().ends_with("was killed: memory limit 2 GiB reached"));
        assert_eq!(Usage::default().warning(), None);
        let many = Usage { memory_kills: 3, ..Usage::default() };
        assert!(many.warning().unwrap().starts_with("3 processes of this server"));
    }
}
