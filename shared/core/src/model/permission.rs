//! Permissions of `/api/v2`, as the table of `docs/apis/events-api.md` has them.
//!
//! A user, an event or a part of an event that the caller may not see is answered 404. An action that the caller may
//! not do on one that they see is answered 403.

use super::{
    Event, User,
    user::Role::{self, Admin, Manager, Partner},
};

/// The actions on users and events. Sessions, login tokens and archives have the permissions of their event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// POST /users/
    CreateUser,
    /// PUT and PATCH /users/:id/
    ChangeUser,
    /// DELETE /users/:id/
    DeleteUser,
    /// POST /`users/:id/password_change`/
    ChangePassword,
    /// POST /`users/:id/password_set`/
    SetPassword,
    /// POST /users/:id/block/ and unblock/
    BlockUser,
    /// POST /events/
    CreateEvent,
    /// PUT and PATCH /events/:id/
    ChangeEvent,
    /// DELETE /events/:id/
    DeleteEvent,
    /// Everything about an event's sessions and login tokens
    ChangeEventParts,
    /// Everything about static API tokens
    ManageApiTokens,
}

/// The users or events on which a user may do an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// On nothing.
    No,
    /// On everything.
    Any,
    /// The user themselves.
    Himself,
    /// All users but the user themselves.
    AnyButHimself,
    /// The user themselves, and the managers whom they made.
    HimselfAndHisManagers,
    /// The managers whom the user made.
    HisManagers,
    /// On partners and managers.
    PartnersAndManagers,
    /// The events that the user owns.
    HisEvents,
    /// The events that the user manages.
    ManagedEvents,
}

/// The grants of each action: for an admin, a partner and a manager.
pub const PERMISSIONS: &[(Action, [Grant; 3])] = &[
    (Action::CreateUser, [Grant::Any, Grant::HisManagers, Grant::No]),
    (Action::ChangeUser, [Grant::Any, Grant::HimselfAndHisManagers, Grant::Himself]),
    (Action::DeleteUser, [Grant::AnyButHimself, Grant::HisManagers, Grant::No]),
    (Action::ChangePassword, [Grant::Himself, Grant::Himself, Grant::Himself]),
    (Action::SetPassword, [Grant::PartnersAndManagers, Grant::HisManagers, Grant::No]),
    (Action::BlockUser, [Grant::PartnersAndManagers, Grant::HisManagers, Grant::No]),
    (Action::CreateEvent, [Grant::Any, Grant::HisEvents, Grant::No]),
    (Action::ChangeEvent, [Grant::Any, Grant::HisEvents, Grant::ManagedEvents]),
    (Action::DeleteEvent, [Grant::Any, Grant::HisEvents, Grant::No]),
    (Action::ChangeEventParts, [Grant::Any, Grant::HisEvents, Grant::ManagedEvents]),
    (Action::ManageApiTokens, [Grant::Any, Grant::No, Grant::No]),
];

impl User {
    /// The users or events on which this user's role may do an action.
    #[must_use]
    pub fn grant(&self, action: Action) -> Grant {
        let column = match self.role {
            Admin => 0,
            Partner => 1,
            Manager => 2,
        };
        PERMISSIONS.iter().find(|(listed, _)| *listed == action).map_or(Grant::No, |(_, grants)| grants[column])
    }

    /// Whether this user's role may do an action on anything.
    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        self.grant(action) != Grant::No
    }

    /// Whether this user may do an action on another user.
    #[must_use]
    pub fn may_to_user(&self, action: Action, other: &User) -> bool {
        match self.grant(action) {
            Grant::No | Grant::HisEvents | Grant::ManagedEvents => false,
            Grant::Any => true,
            Grant::Himself => other.id == self.id,
            Grant::AnyButHimself => other.id != self.id,
            Grant::HimselfAndHisManagers => other.id == self.id || self.has_manager(other),
            Grant::HisManagers => self.has_manager(other),
            Grant::PartnersAndManagers => other.role != Admin,
        }
    }

    /// Whether this user may do an action on an event and what belongs to it.
    #[must_use]
    pub fn may_to_event(&self, action: Action, event: &Event) -> bool {
        match self.grant(action) {
            Grant::Any => true,
            Grant::HisEvents => event.owner == self.id,
            Grant::ManagedEvents => event.managers.contains(&self.id),
            Grant::No
            | Grant::Himself
            | Grant::AnyButHimself
            | Grant::HimselfAndHisManagers
            | Grant::HisManagers
            | Grant::PartnersAndManagers => false,
        }
    }

    /// Whether this user may see another user.
    #[must_use]
    pub fn sees_user(&self, other: &User) -> bool {
        match self.role {
            Admin => true,
            Partner => other.id == self.id || other.creator == Some(self.id),
            Manager => other.id == self.id,
        }
    }

    /// Whether this user may see an event and what belongs to it.
    #[must_use]
    pub fn sees_event(&self, event: &Event) -> bool {
        match self.role {
            Admin => true,
            Partner => event.owner == self.id,
            Manager => event.managers.contains(&self.id),
        }
    }

    /// Whether this user may change another user's role and creator, and an event's owner.
    #[must_use]
    pub fn may_reassign(&self) -> bool {
        self.role == Role::Admin
    }
}
