using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data;

/// <summary>The CobaltGraph database.</summary>
public class CobaltGraphContext(DbContextOptions<CobaltGraphContext> options) : DbContext(options)
{
    /// <summary>Network devices.</summary>
    public DbSet<Device> Devices => Set<Device>();

    /// <summary>Observed connections.</summary>
    public DbSet<Connection> Connections => Set<Connection>();

    /// <summary>The immutable trail of device events.</summary>
    public DbSet<DeviceEvent> DeviceEvents => Set<DeviceEvent>();

    /// <summary>Devices and the destination addresses they reached.</summary>
    public DbSet<DeviceDestination> DeviceDestinations => Set<DeviceDestination>();

    /// <summary>The ledger of bulk loads.</summary>
    public DbSet<IngestBatch> IngestBatches => Set<IngestBatch>();

    /// <summary>Devices seen in the last 30 minutes.</summary>
    public DbSet<ActiveDevice> ActiveDevices => Set<ActiveDevice>();

    /// <summary>Every device with its totals.</summary>
    public DbSet<DeviceSummary> DeviceSummaries => Set<DeviceSummary>();
}
