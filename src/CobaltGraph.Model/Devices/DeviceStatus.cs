namespace CobaltGraph.Model;

/// <summary>
/// Presence of a device on the network. Stored as lower-case text.
/// </summary>
/// <remarks>
/// A device moves discovered → active → idle → offline. A connection younger than 30 minutes makes it
/// <see cref="Active"/> at once; every other transition is made by the database's status sweep.
/// </remarks>
public enum DeviceStatus
{
    /// <summary>Known, and not yet classified by traffic or by the sweep.</summary>
    Discovered = 0,

    /// <summary>Last seen less than 30 minutes ago.</summary>
    Active = 1,

    /// <summary>Last seen 30 to 60 minutes ago.</summary>
    Idle = 2,

    /// <summary>Last seen more than 60 minutes ago.</summary>
    Offline = 3,
}
