namespace StickyWs.Pinning;

/// <summary>
/// Pins that several instances of the balancer share. Register one in DI to use it; the package StickyWs.Redis provides one. Every instance also
/// keeps its own pins, waits for the store no longer than <c>Pins:StoreTimeout</c>, and goes on without it while it is slow or down. Called from many
/// threads at once.
/// </summary>
public interface IPinStore
{
    /// <summary>
    /// Raised with a pin's key and backend name when another instance has saved it. Lost messages do no harm: an unknown pin is looked up. Handlers
    /// are fast and do not throw.
    /// </summary>
    event Action<string, string>? Saved;

    /// <summary>Looks up a pin.</summary>
    /// <param name="key">32 hexadecimal digits: a hash of pool, rule and value. It reveals neither a token nor an address.</param>
    /// <param name="cancellationToken">Cancelled when the result is no longer waited for.</param>
    /// <returns>The backend's name, or <see langword="null"/> if there is no such pin. Any exception means that the store is unreachable.</returns>
    ValueTask<string?> FindAsync(string key, CancellationToken cancellationToken);

    /// <summary>Writes or renews a pin. Completes when every other instance can find it.</summary>
    /// <param name="key">As in <see cref="FindAsync"/>.</param>
    /// <param name="backend">The backend's name.</param>
    /// <param name="lifetime">How long to keep it unless it is renewed.</param>
    /// <param name="cancellationToken">Cancelled when the result is no longer waited for; the write may still take place.</param>
    ValueTask SaveAsync(string key, string backend, TimeSpan lifetime, CancellationToken cancellationToken);
}
