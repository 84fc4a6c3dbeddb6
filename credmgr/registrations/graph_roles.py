"""The application permissions of Microsoft Graph that people use most, with the ids they have everywhere.

Ids and values are Microsoft's (Microsoft Graph permissions reference); the sentences are our own. A table of
data: a permission that is missing here is one line to add.
"""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class WellKnownRole:
    """An app role that a well-known resource has in every directory."""

    id: uuid.UUID
    value: str
    description: str


GRAPH_ROLES: tuple[WellKnownRole, ...] = tuple(
    WellKnownRole(uuid.UUID(id_), value, description)
    for id_, value, description in (
        (
            "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
            "Application.Read.All",
            "Read all applications and service principals.",
        ),
        (
            "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
            "Application.ReadWrite.All",
            "Create, change and delete every application and service principal, their credentials included.",
        ),
        (
            "18a4783c-866b-4cc7-a460-3d5e5662c884",
            "Application.ReadWrite.OwnedBy",
            "Create applications and manage those that this one owns.",
        ),
        (
            "06b708a9-e830-4db3-a914-8e69da51d44f",
            "AppRoleAssignment.ReadWrite.All",
            "Grant and revoke application permissions of any API, for any application.",
        ),
        (
            "b0afded3-3588-46d8-8b3d-9842eff778da",
            "AuditLog.Read.All",
            "Read and query the audit log and the sign-in log.",
        ),
        ("798ee544-9d2d-430c-a058-570e29e34338", "Calendars.Read", "Read the events of every calendar."),
        (
            "ef54d2bf-783f-4e0f-bca1-3210c0444d99",
            "Calendars.ReadWrite",
            "Create, read, change and delete events of every calendar.",
        ),
        (
            "59a6b24b-4225-4393-8165-ebaec5f55d7a",
            "Channel.ReadBasic.All",
            "Read names and descriptions of all channels.",
        ),
        (
            "7b2449af-6ccd-4f4d-9f78-e550c193f0d1",
            "ChannelMessage.Read.All",
            "Read the messages of all channels.",
        ),
        ("6b7d71aa-70aa-4810-a8d9-5d9fb2830017", "Chat.Read.All", "Read the messages of all chats."),
        ("089fe4d0-434a-44c5-8827-41ba8a0b17f5", "Contacts.Read", "Read the contacts in every mailbox."),
        (
            "6918b873-d17a-4dc1-b314-35f528134491",
            "Contacts.ReadWrite",
            "Create, read, change and delete contacts in every mailbox.",
        ),
        ("7438b122-aefc-4978-80ed-43db9fcc7715", "Device.Read.All", "Read the properties of all devices."),
        (
            "dc377aa6-52d8-4e23-b271-2a7ae04cedf3",
            "DeviceManagementConfiguration.Read.All",
            "Read configuration and policies of managed devices.",
        ),
        (
            "2f51be20-0bb4-4fed-bf7b-db946066c75e",
            "DeviceManagementManagedDevices.Read.All",
            "Read the properties of managed devices.",
        ),
        (
            "243333ab-4d21-40cb-a475-36241daa0842",
            "DeviceManagementManagedDevices.ReadWrite.All",
            "Read and change the properties of managed devices.",
        ),
        (
            "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
            "Directory.Read.All",
            "Read the directory: users, groups, applications and more.",
        ),
        (
            "19dbc75e-c2e2-444c-a770-ec69d8559fc7",
            "Directory.ReadWrite.All",
            "Read and change the directory: users, groups and more.",
        ),
        ("dbb9058a-0e50-45d7-ae91-66909b5d4664", "Domain.Read.All", "Read the properties of all domains."),
        ("01d4889c-1287-42c6-ac1f-5d1e02578ef6", "Files.Read.All", "Read the files of every site and drive."),
        (
            "75359482-378d-4052-8f01-80520e7db3cd",
            "Files.ReadWrite.All",
            "Create, read, change and delete files of every site and drive.",
        ),
        ("bf7b1a76-6e77-406b-b258-bf5c7720e98f", "Group.Create", "Create groups."),
        (
            "5b567255-7703-4780-807c-7be8301ae99b",
            "Group.Read.All",
            "Read the properties, memberships and content of all groups.",
        ),
        (
            "62a82d76-70ea-41e2-9197-370581804d09",
            "Group.ReadWrite.All",
            "Create, change and delete groups, their members and content.",
        ),
        (
            "98830695-27a2-44f7-8c18-0c3ebc9698f6",
            "GroupMember.Read.All",
            "Read the memberships and basic properties of all groups.",
        ),
        (
            "dbaae8cf-10b5-4b86-a4a1-f871c94c6695",
            "GroupMember.ReadWrite.All",
            "Read all groups, and add and remove their members.",
        ),
        (
            "6e472fd1-ad78-48da-a0f0-97ab2c6b769e",
            "IdentityRiskEvent.Read.All",
            "Read the risk detections of all users.",
        ),
        (
            "dc5007c0-2d7d-4c42-879c-2dab87571379",
            "IdentityRiskyUser.Read.All",
            "Read which users are at risk, and why.",
        ),
        ("810c84a8-4a9e-49e6-bf7d-12d183f40d01", "Mail.Read", "Read the mail of every mailbox."),
        (
            "693c5e45-0940-467d-9b8a-1022fb9d42ef",
            "Mail.ReadBasic.All",
            "Read the mail of every mailbox without bodies and attachments.",
        ),
        (
            "e2a3a72e-5f79-4c64-b1b1-878b674786c9",
            "Mail.ReadWrite",
            "Create, read, change and delete mail of every mailbox, without sending.",
        ),
        ("b633e1c5-b582-4048-a93e-9f11b44c7e96", "Mail.Send", "Send mail as any person."),
        (
            "40f97065-369a-49f4-947c-6a255697ae91",
            "MailboxSettings.Read",
            "Read the settings of every mailbox.",
        ),
        (
            "c1684f21-1984-47fa-9d61-2dc8c296bb70",
            "OnlineMeetings.Read.All",
            "Read the details of online meetings.",
        ),
        (
            "498476ce-e0fe-48b0-b801-37ba7e2685c6",
            "Organization.Read.All",
            "Read the organization and what belongs to it, such as its subscriptions.",
        ),
        ("246dd0d5-5bd0-4def-940b-0421030a5b68", "Policy.Read.All", "Read all policies of the organization."),
        (
            "83cded22-8297-4ff6-a7fa-e97e9545a259",
            "Presence.ReadWrite.All",
            "Read and set the presence of every person.",
        ),
        ("230c1aed-a721-4c5d-9cb4-a90514e508ef", "Reports.Read.All", "Read all usage reports."),
        (
            "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
            "RoleManagement.Read.Directory",
            "Read directory roles and who has them.",
        ),
        (
            "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
            "RoleManagement.ReadWrite.Directory",
            "Assign directory roles to anybody, administrators included.",
        ),
        ("472e4a4d-bb4a-4026-98d1-0b0d74cb74a5", "SecurityAlert.Read.All", "Read all security alerts."),
        (
            "bf394140-e372-4bf9-a898-299cfc7564e5",
            "SecurityEvents.Read.All",
            "Read the security events of the organization.",
        ),
        ("45cc0394-e837-488b-a098-1918f48d186c", "SecurityIncident.Read.All", "Read all security incidents."),
        (
            "79c261e0-fe76-4144-aad5-bdc68fbe4037",
            "ServiceHealth.Read.All",
            "Read the health of the organization's services.",
        ),
        (
            "a82116e5-55eb-4c41-a434-62fe8a61c773",
            "Sites.FullControl.All",
            "Full control of all site collections.",
        ),
        (
            "0c0bf378-bf22-4481-8f81-9e89a9b4960a",
            "Sites.Manage.All",
            "Create and manage the lists, libraries and items of all site collections.",
        ),
        (
            "332a536c-c7ef-4017-ab91-336970924f0d",
            "Sites.Read.All",
            "Read documents and list items of all site collections.",
        ),
        (
            "9492366f-7969-46a4-8d15-ed1a20078fff",
            "Sites.ReadWrite.All",
            "Read, change and delete documents and list items of all site collections.",
        ),
        (
            "883ea226-0bf2-4a8f-9f9d-92c9162a727d",
            "Sites.Selected",
            "Reach only the site collections that are named for this application elsewhere.",
        ),
        (
            "2280dda6-0bfd-44ee-a2f4-cb867cfc4c1e",
            "Team.ReadBasic.All",
            "Read names and descriptions of all teams.",
        ),
        ("660b7406-55f1-41ca-a0ed-0b035e182f3e", "TeamMember.Read.All", "Read the members of all teams."),
        ("09850681-111b-4a89-9bed-3f2cae46d706", "User.Invite.All", "Invite guests to the organization."),
        ("df021288-bdef-4463-88db-98f22de89214", "User.Read.All", "Read the full profiles of all users."),
        (
            "97235f07-e226-4f63-ace3-39588e11d3a1",
            "User.ReadBasic.All",
            "Read the basic profiles of all users.",
        ),
        (
            "741f803b-c850-494e-b5df-cde7c675a1ca",
            "User.ReadWrite.All",
            "Read and change the full profiles of all users.",
        ),
        (
            "38d9df27-64da-44fd-b7c5-a6fbac20248f",
            "UserAuthenticationMethod.Read.All",
            "Read how every person can sign in.",
        ),
        (
            "50483e42-d915-4231-9639-7fdb7fd190e5",
            "UserAuthenticationMethod.ReadWrite.All",
            "Read and change how every person can sign in.",
        ),
    )
)
