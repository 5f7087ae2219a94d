using System.Collections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace StickyWs.Transport;

/// <summary>
/// The features of a raw connection: those that were set, and <see cref="IRawConnection"/>. To ask for one that only an ordinary connection has is to use its
/// transport, and makes it ordinary; from then on its features are in force.
/// </summary>
internal sealed class RawFeatures(RawConnection connection) : IFeatureCollection
{
    private static readonly HashSet<Type> OfAnOrdinaryConnection =
    [
        typeof(IConnectionIdFeature), typeof(IConnectionTransportFeature), typeof(IConnectionItemsFeature), typeof(IConnectionLifetimeFeature),
        typeof(IConnectionSocketFeature), typeof(IMemoryPoolFeature),
    ];

    // Kestrel sets three or four.
    private readonly List<KeyValuePair<Type, object>> _set = new(4);

    public bool IsReadOnly => false;

    public int Revision { get; private set; }

    public object? this[Type key]
    {
        get
        {
            if (!connection.IsRaw) return Ordinary?[key] ?? Find(key);
            if (key == typeof(IRawConnection)) return connection;
            return Find(key) ?? (OfAnOrdinaryConnection.Contains(key) ? connection.Realize().Features[key] : null);
        }

        set
        {
            Revision++;
            if (Ordinary is { } ordinary)
            {
                ordinary[key] = value;
                return;
            }

            _set.RemoveAll(entry => entry.Key == key);
            if (value is not null) _set.Add(new(key, value));
        }
    }

    private IFeatureCollection? Ordinary => connection.Realized?.Features;

    public TFeature? Get<TFeature>() => (TFeature?)this[typeof(TFeature)];

    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() => ((IEnumerable<KeyValuePair<Type, object>>?)Ordinary ?? _set).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private object? Find(Type key)
    {
        foreach (var (type, feature) in _set)
        {
            if (type == key) return feature;
        }

        return null;
    }
}
