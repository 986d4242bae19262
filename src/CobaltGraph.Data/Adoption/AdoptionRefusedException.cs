namespace CobaltGraph.Data.Adoption;

/// <summary>There is no database of the original here, or none that can be adopted as it is.</summary>
internal sealed class AdoptionRefusedException(string message) : Exception(message);
