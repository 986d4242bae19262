using CobaltGraph.Data.Configurations;
using CobaltGraph.Data.Conversions;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data;

/// <summary>
/// The CobaltGraph database of one site: the schema that is first on the connection's <c>Search Path</c>.
/// Configure it with <c>UseCobaltGraph()</c> or <c>AddCobaltGraph()</c>.
/// </summary>
public class CobaltGraphContext(DbContextOptions<CobaltGraphContext> options) : DbContext(options)
{
    /// <summary>Network devices, one per MAC address.</summary>
    public DbSet<Device> Devices => Set<Device>();

    /// <summary>Observed connections. To store many, use COPY instead of <see cref="DbContext.SaveChanges()"/>.</summary>
    public DbSet<Connection> Connections => Set<Connection>();

    /// <summary>The immutable trail of device events. Adding is allowed; the database refuses changes and deletes.</summary>
    public DbSet<DeviceEvent> DeviceEvents => Set<DeviceEvent>();

    /// <summary>Which device ever reached which destination address. Written by the database only.</summary>
    public DbSet<DeviceDestination> DeviceDestinations => Set<DeviceDestination>();

    /// <summary>What sightings say of each device, such as its address of each family. Written by the database only.</summary>
    public DbSet<SightedDevice> SightedDevices => Set<SightedDevice>();

    /// <summary>Which device held which address, from when to when. Written by the database only.</summary>
    public DbSet<DeviceAddress> DeviceAddresses => Set<DeviceAddress>();

    /// <summary>What each device did in each hour. Written by the database only.</summary>
    public DbSet<DeviceActivityHour> DeviceActivityHours => Set<DeviceActivityHour>();

    /// <summary>Each device's connections by threat category. Written by the database only.</summary>
    public DbSet<DeviceThreatCount> DeviceThreatCounts => Set<DeviceThreatCount>();

    /// <summary>What connections ever said of each destination. Written by the database only.</summary>
    public DbSet<Destination> Destinations => Set<Destination>();

    /// <summary>The ledger of bulk loads.</summary>
    public DbSet<IngestBatch> IngestBatches => Set<IngestBatch>();

    /// <summary>Devices seen in the last 30 minutes.</summary>
    public DbSet<ActiveDevice> ActiveDevices => Set<ActiveDevice>();

    /// <summary>Every device with its totals.</summary>
    public DbSet<DeviceSummary> DeviceSummaries => Set<DeviceSummary>();

    /// <summary>Every device with its threats by category, its threat score and its level.</summary>
    public DbSet<DeviceThreats> DeviceThreats => Set<DeviceThreats>();

    /// <inheritdoc/>
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        ArgumentNullException.ThrowIfNull(configurationBuilder);

        configurationBuilder.Properties<MacAddress>().HaveConversion<MacAddressConverter>().HaveColumnType("macaddr");
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UtcConverter>();
        configurationBuilder.Properties<DeviceStatus>().HaveConversion<DeviceStatusConverter>();
        configurationBuilder.Properties<DeviceEventType>().HaveConversion<DeviceEventTypeConverter>();
        configurationBuilder.Properties<AddressSource>().HaveConversion<AddressSourceConverter>();
        configurationBuilder.Properties<DeviceThreatLevel>().HaveConversion<DeviceThreatLevelConverter>();
        HaveMetadata<DeviceMetadata>();
        HaveMetadata<ConnectionMetadata>();
        HaveMetadata<DeviceEventMetadata>();

        void HaveMetadata<T>() where T : MetadataRecord, new()
            => configurationBuilder.Properties<T>()
                .HaveConversion<MetadataConverter<T>, MetadataComparer<T>>()
                .HaveColumnType("jsonb");
    }

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);

        modelBuilder.ApplyConfiguration(new DeviceConfiguration());
        modelBuilder.ApplyConfiguration(new ConnectionConfiguration());
        modelBuilder.ApplyConfiguration(new DeviceEventConfiguration());
        modelBuilder.ApplyConfiguration(new DeviceDestinationConfiguration());
        modelBuilder.ApplyConfiguration(new SightedDeviceConfiguration());
        modelBuilder.ApplyConfiguration(new DeviceAddressConfiguration());
        modelBuilder.ApplyConfiguration(new DeviceActivityHourConfiguration());
        modelBuilder.ApplyConfiguration(new DeviceThreatCountConfiguration());
        modelBuilder.ApplyConfiguration(new DestinationConfiguration());
        modelBuilder.ApplyConfiguration(new IngestBatchConfiguration());
        modelBuilder.ApplyConfiguration(new ActiveDeviceConfiguration());
        modelBuilder.ApplyConfiguration(new DeviceSummaryConfiguration());
        modelBuilder.ApplyConfiguration(new DeviceThreatsConfiguration());
    }
}
