namespace StickyWs.Fuzz;

/// <summary>Says that a property does not hold.</summary>
internal static class Broken
{
    public static void If(bool condition, string message)
    {
        if (condition) throw new InvalidOperationException(message);
    }
}
