namespace StickyWs.Draining;

/// <summary>Which backends a command is for: one, those of a pool, or all. Names are case-insensitive.</summary>
public sealed class BackendTarget
{
    private BackendTarget(string? pool, string? backend) => (Pool, Backend) = (pool, backend);

    /// <summary>All backends of all pools.</summary>
    public static BackendTarget All { get; } = new(null, null);

    /// <summary>The name of the pool; <see langword="null"/> for all.</summary>
    public string? Pool { get; }

    /// <summary>The name of the backend within the pool; <see langword="null"/> for all.</summary>
    public string? Backend { get; }

    /// <summary>A backend, or all those of a pool.</summary>
    /// <param name="pool">The name of the pool.</param>
    /// <param name="backend">The name of the backend; <see langword="null"/> for all.</param>
    public static BackendTarget Of(string pool, string? backend = null)
    {
        ArgumentNullException.ThrowIfNull(pool);
        return new BackendTarget(pool, backend);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Pool ?? "*"}/{Backend ?? "*"}";

    internal bool Includes(Backends.Backend backend) => Fits(backend.Pool, Pool) && Fits(backend.Name, Backend);

    private static bool Fits(string name, string? wanted) => wanted is null || name.Equals(wanted, StringComparison.OrdinalIgnoreCase);
}
