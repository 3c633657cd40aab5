"""Volumes of medicine besides NIfTI: DICOM, NRRD and MetaImage."""
