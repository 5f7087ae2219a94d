namespace StickyWs.Pinning;

/// <summary>
/// Pins that several instances of the balancer share. Register one in DI to have it used; the package StickyWs.Redis brings one. In front of it every
/// instance keeps its own pins, waits no longer than <c>Pins:StoreTimeout</c>, and goes on without it while it is slow or down. Called from many
/// threads at once.
/// </summary>
public interface IPinStore
{
    /// <summary>
    /// Raised when another instance has saved a pin, with its key and its backend's name; lost messages do no harm, since a pin that is not known is
    /// looked up. Handlers are quick and throw nothing.
    /// </summary>
    event Action<string, string>? Saved;

    /// <summary>Looks a pin up.</summary>
    /// <param name="key">32 hexadecimal digits: a hash of pool, rule and value. It gives away neither a token nor an address.</param>
    /// <param name="cancellationToken">Fires when nobody waits any more.</param>
    /// <returns>The backend's name, or <see langword="null"/> when there is no such pin. Any exception counts as an unreachable store.</returns>
    ValueTask<string?> FindAsync(string key, CancellationToken cancellationToken);

    /// <summary>Writes a pin, or renews it. Completes when every other instance can find it.</summary>
    /// <param name="key">As in <see cref="FindAsync"/>.</param>
    /// <param name="backend">The backend's name.</param>
    /// <param name="lifetime">How long to keep it, unless it is renewed.</param>
    /// <param name="cancellationToken">Fires when nobody waits any more; the write may still come about.</param>
    ValueTask SaveAsync(string key, string backend, TimeSpan lifetime, CancellationToken cancellationToken);
}
