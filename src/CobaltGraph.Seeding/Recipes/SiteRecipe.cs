using CobaltGraph.Seeding.Recipes;

namespace CobaltGraph.Seeding;

/// <summary>A kind of site: which devices it has, in which proportions, and what happens there.</summary>
public sealed class SiteRecipe
{
    private SiteRecipe(string name, string description, int utcOffsetHours, params (Role Role, int AtLeast, double Weight)[] roles)
    {
        Name = name;
        Description = description;
        UtcOffsetHours = utcOffsetHours;
        Roles = roles;
    }

    /// <summary>People with laptops and phones, a few servers, printers and a smart speaker: 08 to 18 h.</summary>
    public static SiteRecipe SmallOffice { get; } = new(
        "small-office",
        "an office: laptops, phones, a few servers and printers, busy by day",
        1,
        OfficeRoles());

    /// <summary>A university: thousands of personal devices, many with randomised addresses, busy until late.</summary>
    public static SiteRecipe Campus { get; } = new(
        "campus",
        "a university: mostly personal devices with randomised MACs, busy until late",
        1,
        (Recipes.Roles.Router, 1, 0.1),
        (Recipes.Roles.Server, 1, 2),
        (Recipes.Roles.Storage, 1, 0.3),
        (Recipes.Roles.Laptop with { Rhythm = Rhythm.Campus, Randomised = 0.2, Visiting = 0.03 }, 1, 33),
        (Recipes.Roles.Mobile with { Rhythm = Rhythm.Campus, Visiting = 0.1 }, 1, 43),
        (Recipes.Roles.Tablet with { Rhythm = Rhythm.Campus }, 0, 6),
        (Recipes.Roles.Desktop, 0, 5),
        (Recipes.Roles.AccessPoint, 1, 3),
        (Recipes.Roles.Switch, 1, 1.2),
        (Recipes.Roles.Printer, 0, 1.2),
        (Recipes.Roles.Phone, 0, 1),
        (Recipes.Roles.Camera, 0, 1.2),
        (Recipes.Roles.Television, 0, 0.8),
        (Recipes.Roles.Iot, 0, 2.2));

    /// <summary>A factory: controllers, panels, sensors and cameras that never sleep, and a few people in two shifts.</summary>
    public static SiteRecipe IotPlant { get; } = new(
        "iot-plant",
        "a factory: controllers, sensors and cameras day and night, people in two shifts",
        1,
        (Recipes.Roles.Router, 1, 0.1),
        (Recipes.Roles.Server, 1, 2.5),
        (Recipes.Roles.Controller, 1, 14),
        (Recipes.Roles.Sensor, 1, 46),
        (Recipes.Roles.Panel, 1, 5),
        (Recipes.Roles.Camera, 0, 9),
        (Recipes.Roles.Storage, 1, 0.5),
        (Recipes.Roles.Desktop with { Rhythm = Rhythm.Shift }, 0, 5),
        (Recipes.Roles.Laptop, 0, 4),
        (Recipes.Roles.Mobile with { Rhythm = Rhythm.Shift }, 0, 7),
        (Recipes.Roles.Iot, 0, 3),
        (Recipes.Roles.Switch, 1, 2),
        (Recipes.Roles.AccessPoint, 0, 1.2),
        (Recipes.Roles.Printer, 0, 0.7));

    /// <summary>
    /// The small office while an attack goes on: a phished desktop calls its command and control server every few
    /// minutes, scans the inside, moves to a server, and copies data out in the last nights.
    /// </summary>
    public static SiteRecipe OfficeUnderAttack { get; } = new(
        "office-under-attack",
        "the office with an attack: phishing, beaconing, an internal scan, exfiltration by night",
        1,
        OfficeRoles())
    {
        UnderAttack = true,
    };

    /// <summary>All recipes.</summary>
    public static IReadOnlyList<SiteRecipe> All { get; } = [SmallOffice, Campus, IotPlant, OfficeUnderAttack];

    /// <summary>The name, for example <c>small-office</c>.</summary>
    public string Name { get; }

    /// <summary>A few words on what it is.</summary>
    public string Description { get; }

    internal int UtcOffsetHours { get; }

    internal bool UnderAttack { get; private init; }

    internal (Role Role, int AtLeast, double Weight)[] Roles { get; }

    /// <summary>Finds a recipe by its name.</summary>
    /// <returns>Null when there is none of that name.</returns>
    public static SiteRecipe? Find(string name)
        => All.FirstOrDefault(recipe => recipe.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The name.</summary>
    public override string ToString() => Name;

    private static (Role, int, double)[] OfficeRoles() =>
    [
        (Recipes.Roles.Router, 1, 0.2),
        (Recipes.Roles.Server, 1, 3),
        (Recipes.Roles.Desktop, 1, 18),
        (Recipes.Roles.Laptop, 1, 24),
        (Recipes.Roles.Mobile, 1, 28),
        (Recipes.Roles.Storage, 1, 0.8),
        (Recipes.Roles.Printer, 1, 3),
        (Recipes.Roles.Tablet, 0, 3),
        (Recipes.Roles.Phone, 0, 9),
        (Recipes.Roles.AccessPoint, 0, 2),
        (Recipes.Roles.Switch, 0, 2),
        (Recipes.Roles.Camera, 0, 2.5),
        (Recipes.Roles.Television, 0, 1),
        (Recipes.Roles.Iot, 0, 4),
    ];
}
