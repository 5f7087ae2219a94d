namespace StickyWs.Backends;

// Its weight, and how it is spared while it is new or back (SlowStart). Written by the registry under its lock.
public sealed partial class Backend
{
    /// <summary>The whole share, in the units of shares.</summary>
    internal const int WholeShare = 1000;

    private const int FirstShare = 100;

    private volatile int _share = WholeShare;
    private bool _isCold;
    private long? _warmsSince;

    /// <summary>Its weight, less what <c>SlowStart</c> takes off it while it is new or back: a tenth of its weight at first.</summary>
    public double EffectiveWeight => (double)FineWeight / WholeShare;

    /// <summary>The same in thousandths.</summary>
    internal long FineWeight => (long)_weight * _share;

    /// <summary>The part of its weight that it has, in thousandths.</summary>
    internal int Share => _share;

    /// <summary>What its <see cref="Weight"/> is by the configuration, whatever was ordered since.</summary>
    internal int ConfiguredWeight { get; private set; }

    /// <summary>Whether it has not its whole share yet.</summary>
    internal bool IsWarming => _share < WholeShare;

    /// <summary>Sets its weight by an order, which stays in force until the configuration says something new; <see langword="null"/> undoes it.</summary>
    internal void OrderWeight(int? weight) => _weight = weight ?? ConfiguredWeight;

    /// <summary>It is new among others that serve, or out of use: once it gets new work it is to be spared.</summary>
    internal void Cool() => (_isCold, _warmsSince, _share) = (true, null, WholeShare);

    /// <summary>It gets new work: sets the share that it has by now.</summary>
    /// <param name="slowStart">How long its share grows; <see langword="null"/> if it gets the whole at once.</param>
    /// <param name="time">The clock.</param>
    internal void Warm(TimeSpan? slowStart, TimeProvider time)
    {
        if (_isCold) (_isCold, _warmsSince) = (false, time.GetTimestamp());
        if (_warmsSince is not { } since) return;
        var part = slowStart is { } whole ? time.GetElapsedTime(since) / whole : 1;
        _share = part < 1 ? FirstShare + (int)((WholeShare - FirstShare) * part) : WholeShare;
        if (part >= 1) _warmsSince = null;
    }

    private void ConfigureWeight(int weight)
    {
        if (weight == ConfiguredWeight) return;
        (ConfiguredWeight, _weight) = (weight, weight);
    }
}
