//! Who may come in: bans, the server's password, the lock and the host key are asked in this order, before anything is
//! changed by who comes.

use super::people::PersonKey;
use super::{Hub, Now, calm::ms};
use crate::identity::TokenHash;
use crate::link::ConnId;
use crate::name::Name;
use crate::protocol::{Credentials, ErrorCode, Password, Refusal};

impl Hub {
    /// Lets somebody through, and tells whether as a host. `present` is the person if they are there already, or
    /// dropped out a moment ago.
    pub(super) fn admit(
        &mut self,
        conn: ConnId,
        name: &Name,
        token_hash: &TokenHash,
        present: Option<PersonKey>,
        credentials: &Credentials,
        now: Now,
    ) -> Result<bool, Refusal> {
        let shown = credentials
            .moderator_key
            .as_ref()
            .map(|key| self.check_host_key(key, token_hash));
        let host =
            matches!(shown, Some(Ok(()))) || self.order.hosts.contains(&token_hash.person_id(name));
        if !host {
            self.check_banned(conn, token_hash, now)?;
        }
        self.check_password(conn, credentials.password.as_ref(), present.is_some(), now)?;
        if self.order.locked && !host && present.is_none() {
            return Err(Refusal::new(ErrorCode::Locked));
        }
        // Whoever brought a key that is worth nothing is not let in, so that they notice.
        shown.transpose()?;
        Ok(host)
    }

    fn check_banned(&self, conn: ConnId, token_hash: &TokenHash, now: Now) -> Result<(), Refusal> {
        let bans = &self.order.bans;
        let address = self.conns.get(&conn).map(|state| state.address);
        let until = bans.against(token_hash, now.instant).max(
            // A proxy on this machine speaks for people from everywhere.
            address
                .filter(|address| !address.is_local())
                .and_then(|at| bans.against_address(at, now.instant)),
        );
        until.map_or(Ok(()), |until| {
            Err(Refusal::banned(ms(
                until.saturating_duration_since(now.instant)
            )))
        })
    }

    /// The key opens for one person only: the first who shows it.
    fn check_host_key(&self, shown: &Password, token_hash: &TokenHash) -> Result<(), Refusal> {
        let forbidden = |text: &str| Err(Refusal::with_text(ErrorCode::Forbidden, text));
        if !self
            .rules
            .host_key
            .is_some_and(|key| key.matches(shown.expose_secret()))
        {
            return forbidden(
                "Esta chave de organização não vale. Confira o endereço que o servidor mostrou ao ligar, ou entre sem a \
                 chave.",
            );
        }
        match self.order.key_holder {
            Some(holder) if holder != *token_hash => forbidden(
                "Esta chave de organização não vale mais, porque outra pessoa já entrou com ela. Entre sem a chave e \
                 peça a quem organiza a conversa que promova você.",
            ),
            _ => Ok(()),
        }
    }
}
