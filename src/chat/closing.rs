//! Ending connections from this side: one that broke the rules, or all of them when the server stops.

use crate::chat::{Chat, Effect};
use crate::ids::ConnId;
use crate::protocol::{ByeCode, ServerMessage};

impl Chat {
    /// Tells everybody that the server stops.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
        // The more people come back, the longer they spread themselves: a hundred a second, and at most 15 s.
        let spread_ms = (1000 + 10 * self.conns.len() as u64).min(15_000);
        let mut conns: Vec<ConnId> = self.conns.keys().copied().collect();
        conns.sort_unstable();
        for conn in conns {
            self.send_shutdown(conn, spread_ms);
        }
    }

    pub(super) fn send_shutdown(&mut self, conn: ConnId, retry_after_ms: u64) {
        let text = "O servidor foi desligado.".to_owned();
        let bye = ServerMessage::Bye {
            code: ByeCode::Shutdown,
            text,
            retry_after_ms: Some(retry_after_ms),
        };
        self.close_with(conn, 1001, bye);
    }

    pub(super) fn close(&mut self, conn: ConnId, code: u16, bye: ByeCode, text: &str) {
        self.close_with(
            conn,
            code,
            ServerMessage::Bye {
                code: bye,
                text: text.into(),
                retry_after_ms: None,
            },
        );
    }

    pub(super) fn close_with(&mut self, conn: ConnId, code: u16, bye: ServerMessage) {
        if let Some(state) = self.conns.get_mut(&conn)
            && !std::mem::replace(&mut state.closing, true)
        {
            self.effects.push(Effect::Close(conn, code, bye));
        }
    }
}
